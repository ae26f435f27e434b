"""Clients that ask at a pace and measure how long each answer takes; what they read they know.

Says on its output:
  well                 every client has had a right answer since the last exception
  failing CODE T       the first such exception since, which took T seconds
  wrong ...            anything that must not happen
  summary ...          for each line on its input: what was since the last one, times in milliseconds

Each client keeps its connection throughout.
"""

import argparse
import asyncio
import random
import sys
import time

import modbus


class Group:
    def __init__(self, options):
        self.options = options
        self.context = modbus.tls(options.certificates) if options.certificates else None
        self.failing = set(range(options.clients))
        self.codes = set()
        self.is_stopping = False
        self.reset()

    def reset(self):
        self.times, self.exceptions = [], {}

    def summary(self):
        # Of an empty list, too.
        times = sorted(self.times) or [0]
        codes = " ".join(f"0x{code:02x}={self.exceptions.get(code, 0)}" for code in (0x0A, 0x0B))
        at = {name: times[min(len(times) - 1, int(len(times) * share))] * 1000
              for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("worst", 1))}
        text = " ".join(f"{name}={value:.1f}" for name, value in at.items())
        say(f"summary exchanges={len(self.times)} {codes} {text}")
        self.reset()

    async def run(self):
        running = [asyncio.create_task(self.client(index)) for index in range(self.options.clients)]
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            self.summary()
        self.is_stopping = True
        await asyncio.gather(*running)
        self.summary()

    async def client(self, index):
        pause = random.Random(index)
        try:
            connection = await modbus.Connection.open(
                self.options.port, 1 + index % 247, self.context, self.options.host
            )
            while not self.is_stopping:
                start = time.monotonic()
                answer, = await connection.exchange(modbus.read_registers(40000, 4))
                took = time.monotonic() - start
                self.times.append(took)
                if isinstance(answer, modbus.ModbusException):
                    self.failed(index, answer.code, took)
                elif answer != b"\x03\x08SunS\x00\x01\x00\x42":
                    raise modbus.Wrong(f"read {answer.hex()}")
                elif index in self.failing:
                    self.failing.discard(index)
                    if not self.failing:
                        self.codes = set()
                        say("well")
                await asyncio.sleep(pause.uniform(0.5, 1.5) * self.options.pause / 1000)
            connection.close()
        except (OSError, EOFError, asyncio.TimeoutError, modbus.Wrong) as error:
            say(f"wrong client={index} {type(error).__name__} {error}")

    def failed(self, index, code, took):
        self.exceptions[code] = self.exceptions.get(code, 0) + 1
        if code not in (0x0A, 0x0B):
            raise modbus.Wrong(f"exception 0x{code:02x}")
        self.failing.add(index)
        if code not in self.codes:
            self.codes.add(code)
            say(f"failing 0x{code:02x} {took:.2f}")


def say(text):
    print(text, flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--certificates")
parser.add_argument("--clients", type=int, default=1)
parser.add_argument("--pause", type=float, default=20, help="milliseconds between a client's requests, on average")
asyncio.run(Group(parser.parse_args()).run())

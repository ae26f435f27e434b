"""Many clients that write, read back and verify; each has registers, coils and a unit of its own.

Says on its output:
  well             every client has had right answers since the last exception
  failing CODE     the first such exception after "well" (only with --outages; otherwise exceptions are wrong)
  verified N M     N exchanges verified in all, at least M of them by each client
  wrong ...        anything that must not happen; the client in question ends
  done N           at the end of its input: the sum

Each client's transaction ids are 1, 2, 3, …: those of all clients collide.
"""

import argparse
import asyncio
import random
import struct
import sys

import modbus

BLOCK = 16


class Client:
    def __init__(self, index, port, context, pause, group):
        self.index, self.port, self.context = index, port, context
        self.pause, self.group = pause, group
        self.address = index * BLOCK
        self.random = random.Random(index)
        self.verified = 0
        self.is_well = False

    async def run(self):
        try:
            connection = await modbus.Connection.open(self.port, 1 + self.index % 247, self.context)
            while not self.group.is_stopping:
                if await self.round(connection):
                    await asyncio.sleep(self.pause)
                else:
                    await asyncio.sleep(0.02)
            connection.close()
        except (OSError, EOFError, asyncio.TimeoutError, modbus.Wrong) as error:
            self.group.say(f"wrong client={self.index} tls={self.context is not None} {type(error).__name__} {error}")

    async def round(self, connection):
        values = [self.random.randrange(0x10000) for _ in range(BLOCK)]
        bits = self.random.randbytes(BLOCK // 8)
        requests = [
            modbus.write_registers(self.address, values),
            modbus.write_coils(self.address, bits, BLOCK),
            modbus.read_registers(self.address, BLOCK),
            modbus.read_coils(self.address, BLOCK),
            modbus.read_registers(40000, 4),
        ]
        expected = [
            struct.pack(">BHH", 16, self.address, BLOCK),
            struct.pack(">BHH", 15, self.address, BLOCK),
            struct.pack(f">BB{BLOCK}H", 3, 2 * BLOCK, *values),
            struct.pack(">BB", 1, BLOCK // 8) + bits,
            b"\x03\x08SunS\x00\x01\x00\x42",
        ]
        if self.random.random() < 0.5:
            answers = await connection.exchange(*requests)
        else:
            answers = [(await connection.exchange(request))[0] for request in requests]
        for answer in answers:
            if isinstance(answer, modbus.ModbusException):
                self.group.failed(self, answer.code)
                return False
        if self.group.outages and self.began_anew(answers, expected):
            return False
        if answers != expected:
            raise modbus.Wrong(f"answers {[answer.hex() for answer in answers]}, expected {[e.hex() for e in expected]}")
        self.verified += len(answers)
        self.group.succeeded(self)
        return True


    @staticmethod
    def began_anew(answers, expected):
        """Whether all that differs is what a device forgot that was started again: its registers and coils are 0 then."""
        differing = [(answer, index) for index, answer in enumerate(answers) if answer != expected[index]]
        return bool(differing) and all(index in (2, 3) and not any(answer[2:]) for answer, index in differing)


class Group:
    def __init__(self, options):
        context = modbus.tls(options.certificates) if options.tls_clients else None
        clients = [(options.plain, None)] * options.plain_clients + [(options.tls, context)] * options.tls_clients
        self.outages = options.outages
        self.clients = [
            Client(index, port, context, options.pause / 1000, self) for index, (port, context) in enumerate(clients)
        ]
        self.is_stopping = False
        self.is_well = False
        self.codes = set()

    async def run(self):
        running = [asyncio.create_task(client.run()) for client in self.clients]
        asyncio.get_running_loop().run_in_executor(None, self.await_end)
        said = None
        while not self.is_stopping:
            await asyncio.sleep(0.05)
            counts = [client.verified for client in self.clients]
            if counts != said:
                self.say(f"verified {sum(counts)} {min(counts)}")
            said = counts
        await asyncio.gather(*running)
        self.say(f"done {sum(client.verified for client in self.clients)}")

    def await_end(self):
        sys.stdin.buffer.read()
        self.is_stopping = True

    def succeeded(self, client):
        client.is_well = True
        if not self.is_well and all(client.is_well for client in self.clients):
            self.is_well = True
            self.codes = set()
            self.say("well")

    def failed(self, client, code):
        if not self.outages or code not in (0x0A, 0x0B):
            raise modbus.Wrong(f"exception 0x{code:02x}")
        client.is_well = self.is_well = False
        if code not in self.codes:
            self.codes.add(code)
            self.say(f"failing 0x{code:02x}")

    def say(self, text):
        print(text, flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--certificates")
parser.add_argument("--plain", type=int)
parser.add_argument("--plain-clients", type=int, default=0)
parser.add_argument("--tls", type=int)
parser.add_argument("--tls-clients", type=int, default=0)
parser.add_argument("--pause", type=float, default=0, help="milliseconds between rounds")
parser.add_argument("--outages", action="store_true", help="exceptions 0x0A and 0x0B are right too, and a device that forgets")
asyncio.run(Group(parser.parse_args()).run())

"""Clients that poll the same registers as fast as they are answered, and verify what they read.

Says on its output:
  wrong ...
  done answers=N
"""

import argparse
import asyncio

import modbus


async def poll(port, rounds):
    connection = await modbus.Connection.open(port, 1)
    for _ in range(rounds):
        (answer,) = await connection.exchange(modbus.read_registers(40000, 4))
        if answer != b"\x03\x08SunS\x00\x01\x00\x42":
            print(f"wrong {answer}", flush=True)
    connection.close()
    return rounds


async def run(options):
    answers = await asyncio.gather(*[poll(options.port, options.rounds) for _ in range(options.clients)])
    print(f"done answers={sum(answers)}", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--clients", type=int, default=16)
parser.add_argument("--rounds", type=int, default=30)
asyncio.run(run(parser.parse_args()))

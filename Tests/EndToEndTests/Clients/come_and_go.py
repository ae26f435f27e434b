"""Clients that connect, read once and leave, one after the other with a pause between them.

  wrong ...    for each that did not get the value
  right=N      in the end
"""

import argparse
import asyncio

import modbus

# The register 40000 of the simulated inverter, and its neighbour.
EXPECTED = bytes.fromhex("030453756e53")


async def ask(port):
    client = await modbus.Connection.open(port, 1)
    try:
        (answer,) = await client.exchange(modbus.read_registers(40000, 2))
        return answer
    finally:
        client.close()


async def run(options):
    right = 0
    for number in range(options.count):
        try:
            answer = await ask(options.port)
        except (OSError, EOFError, modbus.Wrong) as error:
            answer = error
        if answer == EXPECTED:
            right += 1
        else:
            print(f"wrong {number}: {answer!r}", flush=True)
        await asyncio.sleep(options.pause)
    print(f"right={right}", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--count", type=int, default=40)
parser.add_argument("--pause", type=float, default=0.05)
asyncio.run(run(parser.parse_args()))

"""Very many clients at once, each of which gets back what it alone has sent (Diagnostics, Return Query Data).

Says on its output:
  connected N        when all are there, before anybody asks
  verified N M       after each round: N answers in all, the slowest of the round after M seconds
  wrong ...
Ends after the last round when its input ends.
"""

import argparse
import asyncio
import random
import resource
import struct
import sys
import time

import modbus

# This many connects, handshakes or requests under way at once are enough for a busy machine.
CONNECTING = 64


async def main(options):
    context = modbus.tls(options.certificates) if options.certificates else None
    gate = asyncio.Semaphore(CONNECTING)

    async def connect(index):
        over_tls = index >= options.plain_clients
        async with gate:
            return await modbus.Connection.open(
                options.tls if over_tls else options.plain, 1 + index % 247, context if over_tls else None
            )

    everyone = await asyncio.gather(*(connect(index) for index in range(options.plain_clients + options.tls_clients)))
    say(f"connected {len(everyone)}")
    verified = 0
    for round in range(options.rounds):
        start = time.monotonic()
        generator = random.Random(round)

        async def ask(index, connection, word):
            pdu = struct.pack(">BHHHH", 8, 0, index, round, word)
            answer, = await connection.exchange(pdu)
            if answer != pdu:
                raise modbus.Wrong(f"client {index} asked {pdu.hex()} and got {answer}")

        words = [generator.randrange(0x10000) for _ in everyone]
        results = await asyncio.gather(
            *(ask(index, *each) for index, each in enumerate(zip(everyone, words))), return_exceptions=True
        )
        wrong = [result for result in results if result is not None]
        for each in wrong[:20]:
            say(f"wrong {type(each).__name__} {each}")
        verified += len(everyone) - len(wrong)
        say(f"verified {verified} {time.monotonic() - start:.2f}")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    for connection in everyone:
        connection.close()


def say(text):
    print(text, flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--plain", type=int)
parser.add_argument("--plain-clients", type=int, default=0)
parser.add_argument("--tls", type=int)
parser.add_argument("--tls-clients", type=int, default=0)
parser.add_argument("--certificates")
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
modbus.PATIENCE = 60
try:
    asyncio.run(main(options))
except Exception as error:
    say(f"wrong {type(error).__name__} {error}")
    sys.exit(1)

"""Clients of a device that answers each message with its bytes reversed, all at once; says "verified N" at its end.

  --length-bytes, --length-format, --length-order, --length-includes-header, --header   how messages are framed
"""

import argparse
import os
import random
import socket
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(__file__), "../Devices"))
import length_prefix  # noqa: E402

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--clients", type=int, default=8)
parser.add_argument("--longest", type=int, default=99)
length_prefix.add_options(parser)
options = parser.parse_args()
verified = [0] * options.clients
ROUNDS = 20


def run(client):
    source = random.Random(client)
    with socket.create_connection(("127.0.0.1", options.port), timeout=modbus.PATIENCE) as connection:
        for _ in range(ROUNDS):
            # Some at once: a client need not wait for its answers.
            messages = [source.randbytes(source.randint(1, options.longest)) for _ in range(source.randint(1, 4))]
            connection.sendall(b"".join(length_prefix.frame(options, message) for message in messages))
            for message in messages:
                answer = length_prefix.receive(options, connection)
                assert answer == message[::-1], (answer, message)
        verified[client] += 1


threads = [threading.Thread(target=run, args=(client,)) for client in range(options.clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert verified == [1] * options.clients, verified
print("verified", ROUNDS * options.clients, flush=True)

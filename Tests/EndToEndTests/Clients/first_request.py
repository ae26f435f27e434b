"""Clients that leave Nagle's algorithm on, as most programs do, and ask once after each handshake.

Says "median MS worst MS" of the times from the end of the handshake to the answer, in milliseconds.
"""

import argparse
import socket
import statistics
import time

import modbus


def first_answer(options, context):
    with socket.create_connection(("127.0.0.1", options.port), modbus.PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            start = time.monotonic()
            connection.sendall(modbus.frame(1, 1, modbus.read_registers(40000, 4)))
            answer = connection.recv(260)
            took = time.monotonic() - start
            if answer != modbus.frame(1, 1, b"\x03\x08SunS\x00\x01\x00\x42"):
                raise modbus.Wrong(answer.hex())
            return took * 1000


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--certificates", required=True)
parser.add_argument("--version", choices=["1.2", "1.3"], required=True)
parser.add_argument("--connections", type=int, default=20)
options = parser.parse_args()
context = modbus.tls(options.certificates, version=options.version)
times = [first_answer(options, context) for _ in range(options.connections)]
print(f"median {statistics.median(times):.1f} worst {max(times):.1f}", flush=True)

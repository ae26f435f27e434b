"""Connections that are opened and say nothing, until the input ends.

Says "open N" when as many connects as were asked for have been made. What the server closes stays closed.
"""

import argparse
import socket
import sys

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--clients", type=int, default=200)
options = parser.parse_args()

crowd = []
for _ in range(options.clients):
    crowd.append(socket.create_connection(("127.0.0.1", options.port), timeout=15))
print("open", len(crowd), flush=True)
sys.stdin.buffer.read()

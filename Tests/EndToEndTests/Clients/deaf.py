"""Clients that request without end and never read an answer.

Says "stalled N" when none of them could send anything for a second, N bytes in all having been taken; then stays.
"""

import argparse
import socket
import sys
import threading
import time

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--certificates", help="speak TLS, with the certificates of this folder")
parser.add_argument("--clients", type=int, default=4)
options = parser.parse_args()

# The longest answer there is; what is asked again under the same id, unanswered, is one request.
request = b"".join(modbus.frame(number, 1, modbus.read_registers(0, 125)) for number in range(64))
taken = [0] * options.clients
last = time.monotonic()


def run(index):
    global last
    peer = socket.socket()
    # Small, so that what the kernel holds for us is soon full.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    # The kernel's buffer on the other side depends on the size of segments, which is huge on loopback.
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    peer.connect(("127.0.0.1", options.port))
    if options.certificates:
        context = modbus.tls(options.certificates)
        peer = context.wrap_socket(peer, server_hostname="127.0.0.1")
    while True:
        taken[index] += peer.send(request)
        last = time.monotonic()


for index in range(options.clients):
    threading.Thread(target=run, args=(index,), daemon=True).start()
while min(taken) == 0 or time.monotonic() - last < 1:
    time.sleep(0.05)
print("stalled", sum(taken), flush=True)
sys.stdin.buffer.read()

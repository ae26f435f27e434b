"""A Modbus/TCP device that answers some requests, and is killed with -9 in the middle of the next answer.

Says "listening PORT".
"""

import argparse
import os
import signal
import socket
import struct

from one_connection import receive_exactly

parser = argparse.ArgumentParser()
parser.add_argument("--answers", type=int, required=True)
parser.add_argument("--bytes", type=int, required=True, help="of the last answer")
options = parser.parse_args()

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
listener.listen()
print("listening", listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while True:
    transaction, protocol, length, unit = struct.unpack(">HHHB", receive_exactly(connection, 7))
    receive_exactly(connection, length - 1)
    pdu = b"\x03\x08SunS\x00\x01\x00\x42"
    answer = struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu
    if options.answers == 0:
        connection.sendall(answer[: options.bytes])
        os.kill(os.getpid(), signal.SIGKILL)
    connection.sendall(answer)
    options.answers -= 1

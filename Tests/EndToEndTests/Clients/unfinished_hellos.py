"""Connections that begin a TLS handshake and do not go on, until the input ends.

Each sends a part of a ClientHello that announces --announced bytes, in records of 16 KiB. Says "open N" when all that can be
sent has been sent; what the server closes stays closed. With --whole the hellos are whole ones, and nothing follows.
"""

import argparse
import selectors
import socket
import ssl
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--clients", type=int, default=200)
parser.add_argument("--bytes", type=int, default=120_000)
parser.add_argument("--announced", type=int, default=131_000)
parser.add_argument("--addresses", type=int, default=1, help="how many addresses of 127.0.0.0/8 to come from")
parser.add_argument("--whole", action="store_true")
options = parser.parse_args()


def unfinished():
    message = bytes([1]) + options.announced.to_bytes(3, "big") + b"\x03\x03" + bytes(options.announced - 2)
    message = message[: options.bytes]
    parts = [message[start : start + 16384] for start in range(0, len(message), 16384)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


def whole():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


hello = whole() if options.whole else unfinished()
crowd = selectors.DefaultSelector()
kept = []
for number in range(options.clients):
    source = f"127.0.{1 + number % options.addresses}.1" if options.addresses > 1 else "127.0.0.1"
    client = socket.create_connection(("127.0.0.1", options.port), timeout=15, source_address=(source, 0))
    client.setblocking(False)
    kept.append(client)
    crowd.register(client, selectors.EVENT_WRITE, [0])

quiet_since = time.monotonic()
while time.monotonic() - quiet_since < 1 and crowd.get_map():
    for key, _ in crowd.select(0.1):
        try:
            key.data[0] += key.fileobj.send(hello[key.data[0] :][: 32 << 10])
            if key.data[0] < len(hello):
                quiet_since = time.monotonic()
                continue
        except OSError:
            pass
        crowd.unregister(key.fileobj)
        quiet_since = time.monotonic()
print("open", options.clients, flush=True)
sys.stdin.buffer.read()

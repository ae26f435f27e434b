"""One connection that sends given bytes and says what comes back.

  connected       then, as things happen:
  received HEX
  closed | reset | still open (after --seconds)
"""

import argparse
import socket
import struct
import time

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--source", help="the address to come from")
parser.add_argument("--certificates", help="speak TLS, with the certificates of this folder")
parser.add_argument("--certificate", default="client")
parser.add_argument("--send", default="", help="in hexadecimal")
parser.add_argument("--drip", type=float, help="send one byte every DRIP seconds, again and again, and read nothing")
parser.add_argument("--seconds", type=float, default=15)
parser.add_argument("--reset", type=float, help="reset the connection after RESET seconds")
options = parser.parse_args()

peer = socket.create_connection(
    (options.host, options.port), timeout=15, source_address=(options.source, 0) if options.source else None
)
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if options.certificates:
    context = modbus.tls(options.certificates, options.certificate)
    peer = context.wrap_socket(peer, server_hostname="127.0.0.1")
print("connected", flush=True)
deadline = time.monotonic() + options.seconds
try:
    while options.drip is not None and time.monotonic() < deadline:
        for byte in bytes.fromhex(options.send):
            peer.sendall(bytes([byte]))
            time.sleep(options.drip)
    peer.sendall(bytes.fromhex(options.send))
    if options.reset is not None:
        time.sleep(options.reset)
        # Lingering for 0 seconds: the close is a reset.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        raise SystemExit
    while (left := deadline - time.monotonic()) > 0:
        peer.settimeout(left)
        data = peer.recv(4096)
        if not data:
            print("closed", flush=True)
            break
        print("received", data.hex(), flush=True)
    else:
        print("still open", flush=True)
except TimeoutError:
    print("still open", flush=True)
except OSError as error:
    print("reset" if isinstance(error, (ConnectionResetError, BrokenPipeError)) else f"failed {error}", flush=True)

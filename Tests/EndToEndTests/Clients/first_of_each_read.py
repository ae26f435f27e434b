"""A client that sends nine reads in one go, and counts in how many pieces the answers come.

  segments N     how many segments brought the nine answers; Linux only
  records N      with TLS: how many records brought them
"""

import argparse
import socket
import struct
import sys

import modbus

COUNT = 9
ANSWER = 11

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--certificates", help="speak TLS, with the certificates of this folder")
options = parser.parse_args()

peer = socket.create_connection(("127.0.0.1", options.port), timeout=modbus.PATIENCE)
if options.certificates:
    peer = modbus.tls(options.certificates).wrap_socket(peer, server_hostname="127.0.0.1")
peer.sendall(b"".join(modbus.frame(id, 1, modbus.read_registers(id, 1)) for id in range(1, COUNT + 1)))
received = reads = 0
while received < COUNT * ANSWER:
    # With TLS a read brings one record at most.
    data = peer.recv(65536)
    if not data:
        sys.exit("closed")
    received += len(data)
    reads += 1
if options.certificates:
    print("records", reads)
else:
    # The field tcpi_data_segs_in.
    info = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    print("segments", struct.unpack_from("=I", info, 152)[0])

"""A client that sends requests in one go, and looks at no more than the first answer in what it receives at a time.

Says "answered N segments S", and over TLS "records R" too: what it saw, and what the answers came in.
"""

import argparse
import socket
import ssl
import struct

import modbus

# Of Linux's struct tcp_info: how many segments with data have come.
DATA_SEGMENTS = 152


class Plain:
    def __init__(self, options):
        self.socket = socket.create_connection(("127.0.0.1", options.port), modbus.PATIENCE)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        return self.socket.recv(65536)

    def segments(self):
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGMENTS + 4)
        return struct.unpack_from("=I", info, DATA_SEGMENTS)[0]


class TLS(Plain):
    """By hand, since only the records as they come tell how many there are."""

    def __init__(self, options):
        super().__init__(options)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = modbus.tls(options.certificates)
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")
        self.records = 0
        while True:
            try:
                self.session.do_handshake()
                break
            except ssl.SSLWantReadError:
                super().send(self.outgoing.read())
                self.incoming.write(super().receive())
        super().send(self.outgoing.read())

    def send(self, data):
        self.session.write(data)
        super().send(self.outgoing.read())

    def receive(self):
        received = super().receive()
        self.incoming.write(received)
        while received:
            received = received[5 + struct.unpack_from(">H", received, 3)[0]:]
            self.records += 1
        plaintext = b""
        try:
            while part := self.session.read(65536):
                plaintext += part
        except ssl.SSLWantReadError:
            return plaintext


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--certificates")
parser.add_argument("--requests", type=int, default=9)
parser.add_argument("--same", action="store_true", help="the same request each time, which the first one has asked too")
options = parser.parse_args()

client = (TLS if options.certificates else Plain)(options)
client.send(modbus.frame(1, 1, modbus.read_registers(40000, 1)))
client.receive()
segments = client.segments()
client.records = 0
client.send(b"".join(
    modbus.frame(number + 1, 1, modbus.read_registers(40000, 1 if options.same else number))
    for number in range(1, 1 + options.requests)
))
answered = received = 0
while received < options.requests:
    data = client.receive()
    answered += 1
    while data:
        data = data[6 + struct.unpack_from(">H", data, 4)[0]:]
        received += 1
records = f" records {client.records}" if options.certificates else ""
print(f"answered {answered} segments {client.segments() - segments}{records}", flush=True)

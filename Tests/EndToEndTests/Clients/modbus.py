"""Modbus/TCP by hand, plain or TLS: nothing between a test and its bytes."""

import asyncio
import socket
import ssl
import struct

# How long an answer may take, on a machine that is busy with other things.
PATIENCE = 20


class Wrong(Exception):
    """What came is not what a Modbus/TCP client may expect."""


class ModbusException(Exception):
    """The request was answered with an exception."""

    def __init__(self, code):
        super().__init__(f"exception 0x{code:02x}")
        self.code = code


def tls(certificates, name="client", version=None):
    """A client's TLS settings: it shows the certificate called `name`, and checks the server's."""
    context = ssl.create_default_context(cafile=f"{certificates}/ca.crt")
    if name:
        context.load_cert_chain(f"{certificates}/{name}.crt", f"{certificates}/{name}.key")
    if version:
        wanted = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version = wanted
    return context


def frame(transaction, unit, pdu):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def read_registers(address, count):
    return struct.pack(">BHH", 3, address, count)


def write_registers(address, values):
    count = len(values)
    return struct.pack(f">BHHB{count}H", 16, address, count, 2 * count, *values)


def read_coils(address, count):
    return struct.pack(">BHH", 1, address, count)


def write_coils(address, bits, count):
    return struct.pack(">BHHB", 15, address, count, (count + 7) // 8) + bits


class Connection:
    """A client that numbers its transactions 1, 2, 3, … as every other one does."""

    def __init__(self, reader, writer, unit):
        self.reader, self.writer, self.unit = reader, writer, unit
        self.transaction = 0

    @classmethod
    async def open(cls, port, unit, context=None, host="127.0.0.1"):
        name = "127.0.0.1" if context else None
        opening = asyncio.open_connection(host, port, ssl=context, server_hostname=name)
        reader, writer = await asyncio.wait_for(opening, PATIENCE)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer, unit)

    async def exchange(self, *pdus):
        """Sends the requests in one go, and returns the answers' PDUs, or the ModbusException that is the answer."""
        expected = []
        output = b""
        for pdu in pdus:
            self.transaction = self.transaction % 0xFFFF + 1
            expected.append((self.transaction, pdu[0]))
            output += frame(self.transaction, self.unit, pdu)
        self.writer.write(output)
        return [await asyncio.wait_for(self.answer(*each), PATIENCE) for each in expected]

    async def answer(self, transaction, function):
        got, protocol, length, unit = struct.unpack(">HHHB", await self.reader.readexactly(7))
        pdu = await self.reader.readexactly(length - 1)
        if (got, protocol, unit) != (transaction, 0, self.unit):
            raise Wrong(f"transaction {got} protocol {protocol} unit {unit}, asked {transaction} of unit {self.unit}")
        if pdu[0] == function | 0x80 and len(pdu) == 2:
            return ModbusException(pdu[1])
        if pdu[0] != function:
            raise Wrong(f"function {pdu[0]}, asked {function}")
        return pdu

    def close(self):
        self.writer.transport.abort()

"""Random requests of Modbus: valid, nearly valid, crafted, vendors'; and a device that takes requests by function code."""

import os
import random
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "Devices"))
import modbus_wire  # noqa: E402

WRITES = {5, 6, 15, 16, 21, 22, 23}
VENDORS = [0x41, 0x42, 0x48, 0x64, 0x65, 0x6E, 0x5A, 0x2A]
# Whole ones that this device does not have.
RARE = [bytes.fromhex(text) for text in ("07", "0b", "0c", "11", "180010", "2b0e0100", "140706000100000001")]
READ_ONLY = 0x8000
MULTIPLE = {15: 1968, 16: 123}
COUNTS = {1: 2000, 2: 2000, 3: 125, 4: 125}


def is_whole(pdu):
    """Whether it is what the specification says, for functions whose length that tells; None for all others."""
    function, size = pdu[0], len(pdu)
    if function in (8, 0x2B) and not (function == 0x2B and pdu[1:2] == b"\x0e"):
        return None
    if function not in modbus_wire.FIXED and function not in modbus_wire.COUNTED:
        return None
    if size != modbus_wire.request_length(pdu):
        return False
    if function in COUNTS:
        address, count = struct.unpack_from(">HH", pdu, 1)
        return 1 <= count <= COUNTS[function] and address + count <= 0x10000
    if function in MULTIPLE:
        address, count, bytes_behind = struct.unpack_from(">HHB", pdu, 1)
        wanted = 2 * count if function == 16 else (count + 7) // 8
        return 1 <= count <= MULTIPLE[function] and address + count <= 0x10000 and bytes_behind == wanted
    if function == 23:
        start, count, address, written, bytes_behind = struct.unpack_from(">HHHHB", pdu, 1)
        return (
            1 <= count <= 125
            and 1 <= written <= 121
            and bytes_behind == 2 * written
            and start + count <= 0x10000
            and address + written <= 0x10000
        )
    if function == 20:
        parts = [struct.unpack_from(">BHHH", pdu, place) for place in range(2, size - 6, 7)]
        return (
            7 <= pdu[1] <= 0xF5
            and pdu[1] % 7 == 0
            and all(kind == 6 and file > 0 and first <= 9999 for kind, file, first, _ in parts)
        )
    return function != 21


class Request:
    """One request, and what may be said to it."""

    __slots__ = ("unit", "pdu", "key", "kind", "may_be_sent", "writes", "expected")

    def __init__(self, unit, pdu):
        self.unit, self.pdu = unit, pdu
        self.key = bytes([unit]) + pdu
        if pdu[0] == 0 or pdu[0] >= 0x80:
            self.kind = "impossible"
        else:
            whole = is_whole(pdu)
            self.kind = "unknown" if whole is None else "whole" if whole else "torn"
        self.may_be_sent = self.kind in ("whole", "unknown")
        # What may not be sent is nothing that could be done.
        self.writes = self.kind == "unknown" or self.kind == "whole" and pdu[0] in WRITES
        self.expected = modbus_wire.answer(unit, pdu) if self.may_be_sent else None


def begins_with_a_frame(request):
    """Whether a torn request of RTU is, by a chance of its checksum, a whole one with a byte behind it."""
    length = modbus_wire.request_length(request.pdu)
    frame = sealed(bytes([request.unit]) + request.pdu)
    end = 3 + (length or 0)
    return request.kind == "torn" and end < len(frame) and sealed(frame[: end - 2]) == frame[:end]


class Requests:
    """Draws requests of one client. What it writes lies in a range of its own, and each write is another one."""

    def __init__(self, client, seed, client_wire, device_wire):
        self.random = random.Random(f"{seed} {client}")
        self.client = client
        self.sequence = 0
        # Without a header that delimits both, a request and another one behind it are two, as they should be.
        self.crafts = client_wire.has_header
        # On a wire without a header a vendor's function hides nothing.
        self.device_has_header = device_wire.has_header
        # There it takes a silence to tell where the answer to it ends.
        self.vendors_share = 0.05 if self.device_has_header else 0.005

    def next(self, ledger):
        draw = self.random.random()
        if draw < 0.62:
            pdu = self.whole()
        elif draw < 1 - self.vendors_share:
            pdu = self.crafted() if self.crafts and draw > 0.8 else self.nearly(self.whole())
        else:
            return self.vendors(ledger)
        request = Request(self.unit(), pdu)
        if request.kind == "unknown" or not self.crafts and begins_with_a_frame(request):
            return self.next(ledger)
        return request

    def unit(self):
        return self.random.randint(1, 3)

    def whole(self):
        draw = self.random
        function = draw.choice((1, 2, 3, 3, 3, 4, 4, 5, 6, 6, 15, 16, 16, 22, 23, 0))
        if function == 0:
            return draw.choice(RARE)
        if function in COUNTS:
            count = draw.randint(1, 12 if draw.random() < 0.95 else 125)
            return struct.pack(">BHH", function, draw.randrange(READ_ONLY - 128), count)
        # Each write is another one: the address says whose it is, address and value together which one.
        self.sequence += 1
        address = READ_ONLY + 0x200 * self.client + (self.sequence >> 16) % 0x1F0
        value = self.sequence & 0xFFFF
        if function == 5:
            place = READ_ONLY + 0x200 * self.client + self.sequence % 0x200
            return struct.pack(">BHH", 5, place, draw.choice((0xFF00, 0)))
        if function == 6:
            return struct.pack(">BHH", 6, address, value)
        if function == 22:
            return struct.pack(">BHHH", 22, address, value, 0xA5A5)
        count = draw.randint(1, 8)
        values = struct.pack(f">{count}H", value, *(draw.getrandbits(16) for _ in range(count - 1)))
        if function == 23:
            start = draw.randrange(READ_ONLY - 128)
            return struct.pack(">BHHHHB", 23, start, draw.randint(1, 8), address, count, 2 * count) + values
        coils = 16 * count if function == 15 else count
        return struct.pack(">BHHB", function, address, coils, 2 * count) + values

    def nearly(self, pdu):
        draw = self.random
        match draw.randrange(6):
            case 0:
                return pdu[: draw.randint(1, len(pdu))]
            case 1:
                return pdu + draw.randbytes(draw.randint(1, 4))
            case 2:
                return pdu[:1] if draw.random() < 0.5 else pdu[:-1] or pdu
            case 3:
                return pdu + b"\x00"
            case 4:
                return bytes([pdu[0] | 0x80]) + pdu[1:] if draw.random() < 0.5 else b"\x00" + pdu[1:]
            case _:
                place = draw.randrange(3, 6)
                changed = bytearray(pdu)
                changed[place if place < len(pdu) else -1] ^= 1 << draw.randrange(8)
                return bytes(changed)

    def hidden(self):
        """A whole request as it stands in a stream, under an id that others may use, and its key."""
        draw = self.random
        unit = self.unit()
        if draw.random() < 0.5:
            pdu = struct.pack(">BHH", 3, draw.randrange(READ_ONLY - 128), draw.randint(1, 12))
        else:
            pdu = struct.pack(">BHH", 6, 0xF000 + draw.randrange(0xFFF), draw.getrandbits(16))
        body = bytes([unit]) + pdu
        if not self.device_has_header:
            return body + modbus_wire.checksum(body), body
        return struct.pack(">HHH", draw.randint(1, 40), 0, len(body)) + body, body

    def crafted(self):
        """Something whole, and behind it another request that the header counts in."""
        draw = self.random
        pdu = self.whole()
        if not self.device_has_header:
            pdu += modbus_wire.checksum(bytes([self.unit()]) + pdu)
        for _ in range(draw.randint(1, 3)):
            inner, _ = self.hidden()
            if len(pdu) + len(inner) <= 250:
                pdu += inner
        if draw.random() < 0.2:
            pdu = pdu[: -draw.randint(1, 5)]
        return pdu

    def vendors(self, ledger):
        draw = self.random
        function = draw.choice(VENDORS)
        self.sequence += 1
        mark = struct.pack(">BI", self.client, self.sequence)
        if function == VENDORS[0] and self.device_has_header:
            # To the device it is the function code alone, and then other requests.
            pdu = bytes([function])
            for _ in range(draw.randint(0, 2)):
                inner, key = self.hidden()
                pdu += inner
                ledger.hides(key)
            request = Request(self.unit(), pdu)
            request.key = request.key[:2]
            return request
        return Request(self.unit(), bytes([function]) + mark + draw.randbytes(draw.randint(0, 20)))


class Header:
    """Modbus/TCP."""

    has_header = True

    def seal(self, id, request):
        return struct.pack(">HHHB", id, 0, len(request.pdu) + 1, request.unit) + request.pdu

    def answer(self, data):
        """The first answer of the data: its length, its id, its unit and PDU."""
        if len(data) < 7:
            return None
        id, _, length, unit = struct.unpack_from(">HHHB", data)
        return (6 + length, id, unit, bytes(data[7 : 6 + length])) if len(data) >= 6 + length else None

    def request(self, data):
        """What a device finds that goes by the function code, and knows the length of some vendors' functions."""
        if len(data) < 8:
            return None
        if data[7] in VENDORS[1:]:
            length = max(1, struct.unpack_from(">H", data, 4)[0] - 1)
        else:
            length = modbus_wire.request_length(data[7:])
        if length is None or len(data) < 7 + length:
            return None
        return 7 + length, data[:2], data[6], bytes(data[7 : 7 + length])

    def respond(self, id, unit, pdu):
        return id + struct.pack(">HHB", 0, len(pdu) + 1, unit) + pdu


class Checksum:
    """RTU over TCP."""

    has_header = False

    def seal(self, _, request):
        return sealed(bytes([request.unit]) + request.pdu)

    def request(self, data):
        if len(data) < 4:
            return None
        length = modbus_wire.request_length(data[1:]) if data[1] not in VENDORS else len(data) - 3
        if length is None or len(data) < length + 3:
            return None
        if modbus_wire.checksum(data[: length + 1]) != data[length + 1 : length + 3]:
            raise ValueError("a wrong checksum")
        return length + 3, b"", data[0], bytes(data[1 : length + 1])

    def respond(self, _, unit, pdu):
        return sealed(bytes([unit]) + pdu)


def sealed(message):
    return message + modbus_wire.checksum(message)

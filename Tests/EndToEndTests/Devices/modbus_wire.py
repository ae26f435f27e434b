"""What devices here share of Modbus: where a request ends by its function alone, as libmodbus and many devices see it,
and registers whose content depends on unit and address."""

import struct

# How many bytes follow the function code, of those functions whose requests all have the same length.
FIXED = {1: 4, 2: 4, 3: 4, 4: 4, 5: 4, 6: 4, 7: 0, 8: 4, 11: 0, 12: 0, 17: 0, 22: 6, 24: 2, 43: 3}
# Where behind the function code the byte count stands, of those functions that have one.
COUNTED = {15: 4, 16: 4, 20: 0, 21: 0, 23: 8}


def request_length(pdu):
    """How long the request is that begins here, function code included; None until that can be said.

    Of a function that the device does not know it takes the function code alone.
    """
    if not pdu:
        return None
    if pdu[0] in COUNTED:
        place = 1 + COUNTED[pdu[0]]
        return place + 1 + pdu[place] if len(pdu) > place else None
    return 1 + FIXED.get(pdu[0], 0)


def register(unit, address):
    """Different enough that another register, another unit, or one shifted by a byte is seen."""
    return (address * 40503 + unit * 9973 + 4711) & 0xFFFF


def registers(unit, address, count):
    return struct.pack(f">{count}H", *(register(unit, address + index) for index in range(count)))


def bits(unit, address, count):
    value = 0
    for index in range(count):
        value |= (register(unit, address + index) & 1) << index
    return value.to_bytes((count + 7) // 8, "little")


def answer(unit, pdu):
    """What a device answers that has these registers and takes every write without keeping it."""
    function = pdu[0]
    if function in (1, 2, 3, 4, 23):
        address, count = struct.unpack_from(">HH", pdu, 1)
        if not 1 <= count <= (2000 if function < 3 else 125):
            return bytes([function | 0x80, 3])
        content = (bits if function < 3 else registers)(unit, address, count)
        return bytes([function, len(content) & 0xFF]) + content
    if function in (5, 6, 8, 22):
        return pdu
    if function in (15, 16):
        return pdu[:5]
    return bytes([function | 0x80, 1])


def checksum(message):
    value = 0xFFFF
    for byte in message:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return struct.pack("<H", value)


def remainder(value):
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


TABLE = [remainder(byte) for byte in range(256)]

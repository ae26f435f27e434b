"""Clients that do what they are told, one line each on its input:

  open NAME PORT [rtu] [raw] [tls=CERTIFICATES]
                                             connects; rtu: it speaks RTU over TCP, and sees to the checksums itself; raw:
                                             it speaks anything, and says what each read brings
  send NAME HEX                              sends these bytes in one go; with rtu, one message
  close NAME                                 closes the connection
  reset NAME                                 resets it

Says on its output:
  NAME connected
  NAME received HEX                          for each frame
  NAME wrong ...                             a damaged frame
  NAME closed
"""

import asyncio
import socket
import struct
import sys

import modbus

clients = {}


async def tcp_frame(reader):
    header = await reader.readexactly(6)
    return header + await reader.readexactly(struct.unpack_from(">H", header, 4)[0])


async def rtu_frame(reader):
    """A response to a read or a write of registers, or an exception."""
    message = await reader.readexactly(3)
    if not message[1] & 0x80:
        message += await reader.readexactly(message[2] if message[1] in (1, 2, 3, 4) else 3)
    if await reader.readexactly(2) != checksum(message):
        raise modbus.Wrong(f"checksum of {message.hex()}")
    return message


def checksum(message):
    value = 0xFFFF
    for byte in message:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


async def anything(reader):
    data = await reader.read(65536)
    if not data:
        raise EOFError
    return data


async def listen(name, reader, frame):
    try:
        while True:
            say(f"{name} received {(await frame(reader)).hex()}")
    except (OSError, EOFError):
        say(f"{name} closed")
    except modbus.Wrong as error:
        say(f"{name} wrong {error}")


async def obey(order, name, *rest):
    if order == "open":
        options = dict(option.partition("=")[::2] for option in rest[1:])
        context = modbus.tls(options["tls"]) if "tls" in options else None
        connection = await modbus.Connection.open(int(rest[0]), 0, context)
        clients[name] = connection
        connection.is_rtu = "rtu" in options
        frame = rtu_frame if connection.is_rtu else anything if "raw" in options else tcp_frame
        connection.listening = asyncio.create_task(listen(name, connection.reader, frame))
        say(f"{name} connected")
    elif order == "send":
        data = bytes.fromhex(rest[0])
        clients[name].writer.write(data + checksum(data) if clients[name].is_rtu else data)
    elif order == "close":
        clients[name].close()
    elif order == "reset":
        # Lingering for 0 seconds: the close is a reset.
        peer = clients[name].writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        clients[name].close()
    else:
        raise ValueError(order)


async def run():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await obey(*line.split())


def say(text):
    print(text, flush=True)


asyncio.run(run())

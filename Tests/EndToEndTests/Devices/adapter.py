"""A serial adapter in transparent mode, with a Modbus line behind it: RTU over TCP.

It takes one connection at a time. What is sent to it goes onto the line, one request after the other, and what the line
says goes to whoever is connected then, as such adapters do; closing the connection clears nothing.

  --slow HEX=TIME    a request, without checksum, that the line takes so long for, such as 010300000001=900ms

Says on its output:
  listening PORT
  connected | refused
"""

import argparse
import asyncio

import modbus_wire


class Adapter:
    def __init__(self, slow):
        self.slow = slow
        self.line = asyncio.Queue()
        self.writer = None

    async def take(self, reader, writer):
        if self.writer:
            print("refused", flush=True)
            writer.close()
            return
        print("connected", flush=True)
        self.writer = writer
        data = b""
        try:
            while more := await reader.read(4096):
                data += more
                while (length := modbus_wire.request_length(data[1:])) and len(data) >= length + 3:
                    self.line.put_nowait(data[: length + 1])
                    data = data[length + 3 :]
        except ConnectionError:
            pass
        self.writer = None
        writer.close()

    async def work(self):
        while True:
            request = await self.line.get()
            # A line at 9600 baud needs some milliseconds for anything.
            await asyncio.sleep(self.slow.get(request, 0.03))
            answer = request[:1] + modbus_wire.answer(request[0], request[1:])
            if self.writer:
                self.writer.write(answer + modbus_wire.checksum(answer))


def slow(text):
    request, _, time = text.partition("=")
    return bytes.fromhex(request), int(time.removesuffix("ms")) / 1000


async def run():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slow", type=slow, action="append", default=[])
    adapter = Adapter(dict(parser.parse_args().slow))
    server = await asyncio.start_server(adapter.take, "127.0.0.1", 0)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await adapter.work()


asyncio.run(run())

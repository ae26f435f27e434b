"""Many clients of all kinds for a while, each of which knows what it must see, beside a device that misbehaves.

Steady clients, plain and over TLS, write a number that grows to registers of their own and read it back: what they
read is what they wrote last, or, where a write may or may not have been carried out (exception 0x0B), one of the two.
An exception 0x0A means that it was not. A write that is carried out late or again shows as a number that is not due.
Others come and go, leave in the middle of a request, are killed with -9, read slowly, or send byte by byte.

Every request ends with its answer or an exception within the queue timeout; else it is lost.

Says on its output, beside "wrong ..." and "lost ..." as they happen:
  started
  after N s: ...     from time to time
  verdict: ...       at the end; the exit status is 0 if all is well
"""

import argparse
import asyncio
import os
import random
import resource
import signal
import socket
import struct
import sys
import time

import modbus

BLOCK = 4
SUNS = b"\x03\x08SunS\x00\x01\x00\x42"


class Closed(Exception):
    """The multiplexer closed the connection."""


class Lost(Exception):
    """No answer came in time."""


class Tally:
    """What happened to all clients."""

    def __init__(self):
        self.requests = self.answers = self.wrong = self.lost = self.closed = 0
        self.left = self.killed = self.connections = 0
        self.exceptions = {}
        self.slowest = 0.0

    def say_wrong(self, text):
        self.wrong += 1
        if self.wrong <= 20:
            say(f"wrong {text}")

    def say_lost(self, text):
        self.lost += 1
        if self.lost <= 20:
            say(f"lost {text}")

    def __str__(self):
        codes = " ".join(f"0x{code:02x}={count}" for code, count in sorted(self.exceptions.items()))
        return (
            f"requests={self.requests} answers={self.answers} exceptions={sum(self.exceptions.values())} ({codes}) "
            f"wrong={self.wrong} lost={self.lost} closed={self.closed} connections={self.connections} "
            f"left-in-mid-request={self.left} killed={self.killed} slowest={self.slowest:.1f}s"
        )


class Link:
    """A client's connection. Answers may come in any order; each belongs to its transaction id."""

    def __init__(self, scene, reader, writer, unit):
        self.scene, self.reader, self.writer, self.unit = scene, reader, writer, unit
        self.transaction = 0
        self.is_slow = False
        self.waiting = {}
        self.is_closed = False
        # Whatever still comes is not looked at.
        self.is_leaving = False
        self.receiving = asyncio.create_task(self.receive())

    @classmethod
    async def open(cls, scene, unit, over_tls, receive_buffer=None):
        peer = socket.socket()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        port = scene.options.tls if over_tls else scene.options.plain
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port)), modbus.PATIENCE)
        context = scene.context if over_tls else None
        limit = 1024 if receive_buffer else 2**16
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(
                sock=peer, ssl=context, server_hostname="127.0.0.1" if context else None, limit=limit
            ),
            modbus.PATIENCE,
        )
        scene.tally.connections += 1
        return cls(scene, reader, writer, unit)

    async def receive(self):
        tally = self.scene.tally
        try:
            while True:
                got, protocol, length, unit = struct.unpack(">HHHB", await self.reader.readexactly(7))
                pdu = await self.reader.readexactly(length - 1)
                function, answer, start = self.waiting.pop(got, (None, None, 0))
                if answer is None:
                    if self.is_leaving:
                        continue
                    tally.say_wrong(f"transaction {got}, which nobody waits for: {pdu.hex()}")
                    continue
                if not self.is_slow:
                    tally.slowest = max(tally.slowest, time.monotonic() - start)
                if protocol != 0 or unit != self.unit:
                    tally.say_wrong(f"protocol {protocol} unit {unit}, asked unit {self.unit}: {pdu.hex()}")
                if answer.done():
                    continue
                if pdu[0] == function | 0x80 and len(pdu) == 2:
                    tally.exceptions[pdu[1]] = tally.exceptions.get(pdu[1], 0) + 1
                    if pdu[1] not in (0x0A, 0x0B):
                        tally.say_wrong(f"exception 0x{pdu[1]:02x}")
                    answer.set_result(modbus.ModbusException(pdu[1]))
                else:
                    tally.answers += 1
                    if pdu[0] != function:
                        tally.say_wrong(f"function {pdu[0]}, asked {function}: {pdu.hex()}")
                    answer.set_result(pdu)
        except (OSError, EOFError):
            pass
        finally:
            self.is_closed = True
            for _, answer, _ in self.waiting.values():
                if not answer.done():
                    answer.set_exception(Closed())
                    answer.exception()

    def ask(self, *pdus):
        """Sends requests in one go; returns their answers to come."""
        output, answers = b"", []
        for pdu in pdus:
            self.transaction = self.transaction % 0xFFFF + 1
            answer = asyncio.get_running_loop().create_future()
            self.waiting[self.transaction] = (pdu[0], answer, time.monotonic())
            if self.is_closed:
                answer.set_exception(Closed())
                answer.exception()
            output += modbus.frame(self.transaction, self.unit, pdu)
            answers.append(answer)
            self.scene.tally.requests += 1
        self.writer.write(output)
        return answers

    async def result(self, answer, patience=None):
        try:
            return await asyncio.wait_for(answer, patience or self.scene.patience)
        except asyncio.TimeoutError:
            raise Lost() from None

    def abort(self):
        self.receiving.cancel()
        self.writer.transport.abort()


class Client:
    """What all clients have in common: they connect, do rounds, and connect again."""

    over_tls = False
    may_be_closed = False
    receive_buffer = None

    def __init__(self, scene, index, over_tls=False):
        self.scene, self.index, self.over_tls = scene, index, over_tls
        self.random = random.Random(scene.options.seed * 1000 + index)
        self.unit = 1 + index % 247

    async def run(self):
        name = f"{type(self).__name__} {self.index}"
        while not self.scene.is_stopping:
            try:
                link = await Link.open(self.scene, self.unit, self.over_tls, self.receive_buffer)
            except (OSError, asyncio.TimeoutError) as error:
                if not self.scene.is_stopping:
                    self.scene.tally.say_wrong(f"{name} cannot connect: {type(error).__name__} {error}")
                    await asyncio.sleep(1)
                continue
            try:
                while not self.scene.is_stopping and await self.round(link):
                    await asyncio.sleep(self.pause())
            except Closed:
                self.scene.tally.closed += 1
                if not self.may_be_closed:
                    self.scene.tally.say_wrong(f"{name} was closed")
            except Lost:
                self.scene.tally.say_lost(f"a request of {name}")
            finally:
                link.abort()
            await asyncio.sleep(0.05)

    def pause(self):
        return self.random.uniform(0.5, 1.5) * self.scene.options.pause / 1000

    def check_static(self, answer):
        if not isinstance(answer, modbus.ModbusException) and answer != SUNS:
            self.scene.tally.say_wrong(f"{type(self).__name__} {self.index} read {answer.hex()}")


class Steady(Client):
    """Writes and reads back, one by one or in one go."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.address = self.index * BLOCK
        self.number = 0
        # What the registers may hold.
        self.possible = {(0,) * BLOCK}

    async def round(self, link):
        self.number += 1
        values = (self.number >> 16, self.number & 0xFFFF, self.index, self.random.randrange(0x10000))
        write = modbus.write_registers(self.address, values)
        read = struct.pack(">BHH", self.random.choice((3, 4)), self.address, BLOCK)
        kind = self.random.randrange(4)
        if kind == 0:
            answers = link.ask(write, read, modbus.read_registers(40000, 4))
            await self.write_ended(link, answers[0], values)
            await self.read_ended(link, answers[1])
            self.check_static(await link.result(answers[2]))
        elif kind == 1:
            await self.read_ended(link, link.ask(read)[0])
        else:
            await self.write_ended(link, link.ask(write)[0], values)
            await self.read_ended(link, link.ask(read)[0])
        return True

    async def write_ended(self, link, answer, values):
        try:
            result = await link.result(answer)
        except (Closed, Lost):
            self.possible.add(values)
            raise
        if isinstance(result, modbus.ModbusException):
            # 0x0A: it was never sent.
            if result.code != 0x0A:
                self.possible.add(values)
            return
        if result != struct.pack(">BHH", 16, self.address, BLOCK):
            self.scene.tally.say_wrong(f"client {self.index} wrote and was answered {result.hex()}")
        self.possible = {values}

    async def read_ended(self, link, answer):
        result = await link.result(answer)
        if isinstance(result, modbus.ModbusException):
            return
        values = struct.unpack(f">{BLOCK}H", result[2:]) if len(result) == 2 + 2 * BLOCK else None
        if values not in self.possible:
            self.scene.tally.say_wrong(f"client {self.index} read {result.hex()}, possible is {self.possible}")
        # Whatever it was that was not known: from here on nothing changes by itself.
        self.possible = {values}


class Passing(Client):
    """Stays for a few requests, then leaves, sometimes while one is waiting or half sent."""

    async def round(self, link):
        for _ in range(self.random.randrange(1, 6)):
            self.check_static(await link.result(link.ask(modbus.read_registers(40000, 4))[0]))
            await asyncio.sleep(self.pause())
        if self.random.random() < 0.5:
            # Nothing of these is anybody's business any more.
            link.scene.tally.left += 1
            link.is_leaving = True
            request = modbus.frame(1, self.unit, modbus.read_registers(40000, 4))
            link.writer.write((request * 3)[: self.random.randrange(1, 36)])
            await asyncio.sleep(self.random.choice((0, 0.01)))
        return False


class SlowReader(Client):
    """Asks for the longest answers, and reads a few bytes at a time."""

    receive_buffer = 4096
    may_be_closed = True

    async def round(self, link):
        link.is_slow = True
        answers = link.ask(*[modbus.read_registers(0, 125)] * 40)
        # The stream's limit and the small buffer leave the rest of the answers with the multiplexer.
        link.writer.transport.pause_reading()
        await asyncio.sleep(3)
        link.writer.transport.resume_reading()
        for answer in answers:
            result = await link.result(answer, patience=4 * self.scene.patience)
            if not isinstance(result, modbus.ModbusException) and len(result) != 252:
                self.scene.tally.say_wrong(f"slow reader {self.index} read {len(result)} bytes")
        return True


class ByteByByte(Client):
    """Sends a request one byte at a time."""

    async def round(self, link):
        link.transaction = link.transaction % 0xFFFF + 1
        request = modbus.frame(link.transaction, self.unit, modbus.read_registers(40000, 4))
        for byte in request[:-1]:
            link.writer.write(bytes([byte]))
            await asyncio.sleep(0.1)
            if link.is_closed:
                raise Closed()
        answer = asyncio.get_running_loop().create_future()
        link.waiting[link.transaction] = (3, answer, time.monotonic())
        self.scene.tally.requests += 1
        link.writer.write(request[-1:])
        self.check_static(await link.result(answer))
        return True

    def pause(self):
        return 0.2


class Victims:
    """A process with some clients, killed with -9 and started again, for ever."""

    def __init__(self, scene):
        self.scene = scene
        self.random = random.Random(scene.options.seed)

    async def run(self):
        options = self.scene.options
        while not self.scene.is_stopping:
            arguments = [
                sys.executable, __file__, "--victims", "--plain", str(options.plain), "--pause", "5",
                "--queue-timeout", str(options.queue_timeout),
            ]
            if options.tls:
                arguments += ["--tls", str(options.tls), "--certificates", options.certificates]
            process = await asyncio.create_subprocess_exec(
                *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            try:
                await asyncio.sleep(self.random.uniform(2, 5))
                if process.returncode is not None:
                    self.scene.tally.say_wrong(f"the victims ended by themselves with {process.returncode}")
            finally:
                if process.returncode is None:
                    process.kill()
                said, _ = await process.communicate()
                if said:
                    self.scene.tally.say_wrong(f"the victims said: {said.decode()}")
                self.scene.tally.killed += 1


class Hiccups:
    """Stops the device's process for a moment now and then."""

    def __init__(self, scene):
        self.scene = scene

    async def run(self):
        while not self.scene.is_stopping:
            await asyncio.sleep(12)
            os.kill(self.scene.options.device_pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(1.5)
            finally:
                os.kill(self.scene.options.device_pid, signal.SIGCONT)


class Scene:
    def __init__(self, options):
        self.options = options
        self.tally = Tally()
        self.is_stopping = False
        self.context = modbus.tls(options.certificates) if options.certificates else None
        # A busy machine may add some.
        self.patience = options.queue_timeout + options.margin

    async def run(self):
        if self.options.victims:
            everyone = [Passing(self, index, index % 2 == 1 and self.context is not None) for index in range(4)]
            await asyncio.gather(*(client.run() for client in everyone))
            return True
        plain, tls = self.options.plain_clients, self.options.tls_clients
        everyone = [Steady(self, index, index >= plain) for index in range(plain + tls)]
        everyone += [Passing(self, 300 + index, index % 2 == 1 and tls > 0) for index in range(self.options.passing)]
        everyone += [SlowReader(self, 400), SlowReader(self, 401, tls > 0), ByteByByte(self, 500), ByteByByte(self, 501)]
        everyone.append(Victims(self))
        if self.options.device_pid:
            everyone.append(Hiccups(self))
        before = descriptors(self.options.server_pid)
        running = [asyncio.create_task(client.run()) for client in everyone]
        say("started")
        start = time.monotonic()
        warm = None
        while (elapsed := time.monotonic() - start) < self.options.seconds:
            # By then every kind of client has been there.
            if warm is None and elapsed >= min(60, self.options.seconds / 3):
                warm = memory(self.options.server_pid)
            await asyncio.sleep(min(self.options.seconds - elapsed, 60 if warm else 1))
            if warm:
                say(
                    f"after {time.monotonic() - start:.0f} s: {self.tally} memory-KiB={memory(self.options.server_pid)} "
                    f"descriptors={descriptors(self.options.server_pid)}"
                )
        self.is_stopping = True
        _, stuck = await asyncio.wait(running, timeout=4 * self.patience + 20)
        for task in stuck:
            self.tally.say_lost(f"a client did not end: {task}")
            task.cancel()
        for task in running:
            if task.done() and not task.cancelled() and task.exception():
                self.tally.say_wrong(f"{task.exception()!r}")
        end = memory(self.options.server_pid)
        after = await self.settled_descriptors(before)
        say(
            f"verdict: {self.tally} memory-KiB-warm={warm} memory-KiB-end={end} descriptors-before={before} "
            f"descriptors-after={after}"
        )
        grew = end - warm > self.options.memory_margin
        if grew:
            say(f"wrong: memory grew by {end - warm} KiB")
        if after > before:
            say(f"wrong: descriptors leaked: {before} before the clients came, {after} after they left")
        return not (self.tally.wrong or self.tally.lost or grew or after > before)

    async def settled_descriptors(self, before):
        """The server needs a moment to see that its clients have left."""
        for _ in range(100):
            if descriptors(self.options.server_pid) <= before:
                break
            await asyncio.sleep(0.1)
        return descriptors(self.options.server_pid)


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def say(text):
    print(text, flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--plain", type=int, required=True)
parser.add_argument("--plain-clients", type=int, default=16)
parser.add_argument("--tls", type=int)
parser.add_argument("--tls-clients", type=int, default=0)
parser.add_argument("--certificates")
parser.add_argument("--passing", type=int, default=6, help="clients that come and go")
parser.add_argument("--server-pid", type=int)
parser.add_argument("--device-pid", type=int, help="stop the device's process for a moment now and then")
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--pause", type=float, default=100, help="milliseconds between a client's rounds, on average")
parser.add_argument("--queue-timeout", type=float, required=True, help="the server's, in seconds")
parser.add_argument("--margin", type=float, default=10)
parser.add_argument("--memory-margin", type=int, default=16384, help="KiB by which the server may grow")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--victims", action="store_true", help="be those who are killed")
options = parser.parse_args()
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
sys.exit(0 if asyncio.run(Scene(options).run()) else 1)

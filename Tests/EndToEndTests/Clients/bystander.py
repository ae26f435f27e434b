"""What a client gets that polls beside another one, of another address, that asks as fast as it can for what it should not.

The device answers within --delay seconds, one request after the other, and takes requests by their function code. It says
"listening PORT", is told "server PORT" on its input, and says in the end

  bystander: right=N of=N percent=P p50=MS p99=MS longest=MS, beside N others, N of them sent, connections=N
"""

import argparse
import multiprocessing
import os
import random
import socket
import struct
import sys
import time

import modbus

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "Devices"))
import modbus_wire  # noqa: E402

# From this address on the device hangs up.
FATAL = 60_000
# At this value in this register it hangs up.
FATAL_VALUE = (59_999, 0xDEAD)
# How many the attacker asks at a time.
DEPTH = 8


class Modbus:
    """Modbus/TCP: what is asked, and what is answered."""

    def __init__(self, seed, options):
        self.random = random.Random(seed)
        self.writes = options.writes

    def harmless(self):
        if self.writes:
            pdu = struct.pack(">BHH", 6, FATAL_VALUE[0], self.random.randrange(1000))
            return modbus.frame(1, 1, pdu), modbus.frame(1, 1, pdu)
        address = self.random.randrange(FATAL - 128)
        pdu = modbus.read_registers(address, 10)
        return modbus.frame(1, 1, pdu), modbus.frame(1, 1, modbus_wire.answer(1, pdu))

    def harmful(self, attack, number):
        match attack:
            case "hang-up":
                pdu = modbus.read_registers(FATAL, 1)
            case "hang-up-elsewhere":
                pdu = modbus.read_registers(FATAL + number % 5000, 1 + number // 5000 % 100)
            case "hang-up-write":
                pdu = struct.pack(">BHH", 6, *FATAL_VALUE)
            case "crafted":
                inner = modbus.frame(number & 0xFF, 1, modbus.read_registers(0, 10))
                pdu = modbus.read_registers(number % 100, 10) + inner
            case "vendors":
                pdu = bytes([(0x41, 0x64, 0x65)[number % 3]]) + struct.pack(">I", number)
        return modbus.frame(number & 0xFFFF, 1, pdu)

    def take_request(self, data):
        """The first request of the data: its length, and its answer; an empty one is to hang up."""
        if len(data) < 8:
            return None
        # The vendor's functions are its own: it knows their length.
        whole = 6 + struct.unpack_from(">H", data, 4)[0]
        end = whole if data[7] in (0x41, 0x64, 0x65) else 7 + (modbus_wire.request_length(data[7:]) or 256)
        if len(data) < end:
            return None
        pdu = data[7:end]
        if pdu[0] == 3 and struct.unpack_from(">H", pdu, 1)[0] >= FATAL:
            return end, b""
        if pdu[0] == 6 and struct.unpack_from(">HH", pdu, 1) == FATAL_VALUE:
            return end, b""
        answer = modbus_wire.answer(data[6], pdu)
        return end, data[:4] + struct.pack(">HB", len(answer) + 1, data[6]) + answer

    def take_answer(self, data):
        if len(data) < 6:
            return None
        end = 6 + struct.unpack_from(">H", data, 4)[0]
        return None if len(data) < end else (end, data[:end])


class HTTP:
    """The same of HTTP."""

    def __init__(self, seed, options):
        self.random = random.Random(seed)
        self.closes = b"Connection: close\r\n" if options.closing else b""

    def harmless(self):
        path = b"/value/%d" % self.random.randrange(1_000_000)
        return b"GET %b HTTP/1.1\r\nHost: d\r\n\r\n" % path, path

    def harmful(self, attack, number):
        path = b"/gone" if attack == "hang-up" else b"/gone/%d" % number
        return b"GET %b HTTP/1.1\r\nHost: d\r\n\r\n" % path

    def take_request(self, data):
        head, separator, _ = data.partition(b"\r\n\r\n")
        if not separator:
            return None
        path = head.split(b" ")[1]
        answer = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (self.closes, len(path), path)
        return len(head) + 4, b"" if path.startswith(b"/gone") else answer

    def take_answer(self, data):
        head, separator, body = data.partition(b"\r\n\r\n")
        if not separator:
            return None
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
        length = int(lengths[0].split(b": ")[1])
        return None if len(body) < length else (len(head) + 4 + length, body[:length])


class Peer:
    """One connection of a client, which blocks."""

    def __init__(self, wire, port, address="127.0.0.1"):
        self.wire, self.port, self.address = wire, port, address
        self.connection = None

    def exchange(self, *requests):
        """Sends these in one go, and returns their answers; None for each that the end of the connection took."""
        if self.connection is None:
            self.connection = socket.create_connection(
                ("127.0.0.1", self.port), timeout=modbus.PATIENCE, source_address=(self.address, 0)
            )
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.data = b""
        answers = []
        try:
            self.connection.sendall(b"".join(requests))
            while len(answers) < len(requests):
                if taken := self.wire.take_answer(self.data):
                    answers.append(taken[1])
                    self.data = self.data[taken[0] :]
                elif more := self.connection.recv(65536):
                    self.data += more
                else:
                    raise EOFError
        except (OSError, EOFError):
            self.leave()
            answers += [None] * (len(requests) - len(answers))
        return answers

    def leave(self):
        self.connection.close()
        self.connection = None


def serve(wire, listener, options, asked, connections):
    """The device: one connection after the other; what comes while it counts the one that it ended, it closes at once."""
    counted_until = 0
    while True:
        connection, _ = listener.accept()
        if time.monotonic() < counted_until:
            connection.close()
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.value += 1
        data = b""
        try:
            while more := connection.recv(65536):
                data += more
                while taken := wire.take_request(data):
                    data = data[taken[0] :]
                    asked.value += 1
                    time.sleep(options.delay)
                    connection.sendall(taken[1])
                    if not taken[1] or options.closing:
                        raise EOFError
        except (OSError, EOFError):
            pass
        connection.close()
        counted_until = time.monotonic() + options.counted


def attack(wire, port, options, count):
    peer = Peer(wire, port)
    number = 0
    while True:
        numbers = range(number, number + (1 if options.reconnect else DEPTH))
        peer.exchange(*(wire.harmful(options.attack, number) for number in numbers))
        number = numbers.stop
        count.value = number
        if options.reconnect and peer.connection:
            peer.leave()


def poll(wire, port, options):
    """The bystander: returns how long each exchange took, and which were right."""
    peer = Peer(wire, port, "127.0.0.2")
    times, right = [], 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        request, expected = wire.harmless()
        begin = time.monotonic()
        (answer,) = peer.exchange(request)
        times.append(time.monotonic() - begin)
        right += answer == expected
        if options.arrives and peer.connection:
            peer.leave()
        time.sleep(options.pause)
    return times, right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("attack", choices=["none", "hang-up", "hang-up-elsewhere", "hang-up-write", "crafted", "vendors"])
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--closing", action="store_true", help="the HTTP device ends its connection with each answer")
    parser.add_argument("--writes", action="store_true", help="the bystander writes to where one value is fatal")
    parser.add_argument("--arrives", action="store_true", help="the bystander connects for each request")
    parser.add_argument("--counted", type=float, default=0, help="how long the device counts a connection that has ended")
    parser.add_argument("--reconnect", action="store_true", help="the attacker connects for each request")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--delay", type=float, default=0.002)
    parser.add_argument("--pause", type=float, default=0.005)
    options = parser.parse_args()
    wire = (HTTP if options.http else Modbus)(1, options)
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening", listener.getsockname()[1], flush=True)
    port = int(sys.stdin.readline().split()[1])
    fork = multiprocessing.get_context("fork")
    asked, connections, count = (fork.Value("L", 0) for _ in range(3))
    beside = [fork.Process(target=serve, args=(wire, listener, options, asked, connections), daemon=True)]
    if options.attack != "none":
        beside.append(fork.Process(target=attack, args=(wire, port, options, count), daemon=True))
    for process in beside:
        process.start()
    times, right = poll(wire, port, options)
    for process in beside:
        process.terminate()
    times.sort()

    def quantile(part):
        return f"{times[min(len(times) - 1, int(part * len(times)))] * 1000:.1f}"

    print(
        f"bystander: right={right} of={len(times)} percent={100 * right / len(times):.1f} p50={quantile(0.5)} "
        f"p99={quantile(0.99)} longest={quantile(1)}, beside {count.value} others, "
        f"{asked.value - right} of them sent, connections={connections.value}",
        flush=True,
    )


main()

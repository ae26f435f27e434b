"""Random requests, crafted ones among them, from many clients through the program to a device that goes by function codes.

The device and the clients are one program, so that it knows everything: what clients asked and were told, and what the
device was asked. It says "listening PORT", is told "server PORT" on its input, and says in the end

  verdict: violations=N right=N ...

after up to three lines for each kind of violation. A violation is: the device was asked what no client can have been told
of; a write that was done once more, or not at all, than clients were told; an answer that is not the one to what was asked;
a second connection; a vendor's function that was not alone. The exit status is 0 without violations.
"""

import argparse
import random
import select
import socket
import sys
import time

import attack_http
import attack_modbus
from attack_modbus import modbus_wire
from ledger import Ledger, show

# How long the device holds an answer back now and then, so that others are in flight beside it.
HOLD = 0.001
# A client that is not answered for so long is stuck.
PATIENCE = 30


class Loop:
    """Who is told of which socket, and what is due when."""

    def __init__(self):
        self.poll = select.epoll()
        self.peers = {}
        self.due = []

    def add(self, connection, peer):
        self.peers[connection.fileno()] = peer
        self.poll.register(connection, select.EPOLLIN)

    def remove(self, connection):
        self.poll.unregister(connection)
        del self.peers[connection.fileno()]
        connection.close()

    def later(self, delay, action):
        self.due.append((time.monotonic() + delay, action))

    def turn(self):
        for descriptor, _ in self.poll.poll(HOLD if self.due else 0.05):
            if peer := self.peers.get(descriptor):
                peer.readable()
        if self.due:
            now = time.monotonic()
            ripe = [action for when, action in self.due if when <= now]
            self.due = [each for each in self.due if each[0] > now]
            for action in ripe:
                action()


class Device:
    """Takes one connection, and notes every request that it finds."""

    def __init__(self, run, wire):
        self.run, self.wire = run, wire
        self.random = random.Random(run.seed)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.connection, self.data = None, b""
        # What the answers that are held back answer, and how many of them are a vendor's.
        self.held = []
        self.vendors_held = 0
        run.loop.add(self.listener, self)
        print("listening", self.listener.getsockname()[1], flush=True)

    def readable(self):
        if self.connection:
            self.receive()
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        if self.connection:
            # It may have ended between the two looks.
            self.receive()
        if self.connection:
            self.run.ledger.violate("the device got a second connection", connection.getpeername())
            self.end()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection, self.data = connection, b""
        self.run.loop.add(connection, self)

    def receive(self):
        while self.connection:
            try:
                more = self.connection.recv(65536)
            except BlockingIOError:
                return
            except ConnectionError:
                more = b""
            if more:
                self.data += more
                self.take_all()
            else:
                self.end()

    def take_all(self):
        try:
            while self.connection and (taken := self.wire.request(self.data)):
                self.data = self.data[taken[0] :]
                self.take(*taken[1:])
        except ValueError as error:
            self.run.ledger.violate("the device could not read a request", f"{error}: {self.data.hex()}")
            self.end()

    def take(self, id, unit, pdu):
        ledger, key = self.run.ledger, bytes([unit]) + pdu
        is_vendors = pdu[0] in attack_modbus.VENDORS
        if self.vendors_held and ledger.hidden[key] == 0:
            ledger.violate("something was sent while a vendor's function was in flight", key.hex())
        # What hides in a vendor's function is asked by the device itself, and nobody waits for its answer.
        is_hidden = ledger.hidden[key] > 0
        if is_vendors and self.held:
            held = ", ".join(other.hex() for other in self.held)
            ledger.violate("a vendor's function was sent while something was in flight", f"{key.hex()} beside {held}")
        ledger.device_was_asked(key)
        answer = self.wire.respond(id, unit, modbus_wire.answer(unit, pdu))
        if not is_vendors and self.random.random() > 0.02:
            self.send(self.connection, answer)
            return
        if not is_hidden:
            self.held.append(key)
        self.vendors_held += is_vendors
        connection = self.connection

        def release():
            if not is_hidden:
                self.held.remove(key)
            self.vendors_held -= is_vendors
            if connection is self.connection:
                self.send(connection, answer)

        self.run.loop.later(HOLD, release)

    def send(self, connection, data):
        try:
            connection.sendall(data)
        except OSError:
            self.end()

    def end(self):
        if self.connection:
            self.run.loop.remove(self.connection)
            self.connection = None


class Client:
    """What all clients of Modbus do: they ask until the run has enough, and judge each answer."""

    def __init__(self, run, number, wire, device_wire):
        self.run, self.wire = run, wire
        self.requests = attack_modbus.Requests(number, run.seed, wire, device_wire)
        self.random = self.requests.random
        self.waiting = {}
        self.connect()

    def connect(self):
        self.connection = socket.create_connection(("127.0.0.1", self.run.port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.setblocking(False)
        self.data = b""
        self.run.loop.add(self.connection, self)
        self.ask()

    def requests_waiting(self):
        return self.waiting.values()

    def drop(self, how):
        """Ends the connection; whatever waits is in doubt."""
        self.run.loop.remove(self.connection)
        self.connection = None
        for request in self.waiting.values():
            self.run.ledger.doubted(request.key, request.writes, how)
        self.run.answered += len(self.waiting)
        self.waiting.clear()

    def readable(self):
        try:
            more = self.connection.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            more = b""
        if not more:
            self.closed()
        else:
            self.run.heard = time.monotonic()
            self.data += more
            self.take()
            if self.connection:
                self.ask()

    def send(self, data):
        try:
            self.connection.sendall(data)
        except OSError:
            # The end is about to be read.
            pass

    def judge(self, request, unit, pdu):
        ledger = self.run.ledger
        self.run.answered += 1
        is_exception = len(pdu) == 2 and pdu[0] == request.pdu[0] | 0x80
        if unit != request.unit:
            ledger.violate("a client got another unit's answer", f"asked {request.key.hex()}, got {unit} {pdu.hex()}")
            ledger.doubted(request.key, request.writes, "wrong")
        elif request.expected == pdu:
            ledger.answered(request.key, request.writes)
        elif is_exception and pdu[1] == 0x0B:
            ledger.doubted(request.key, request.writes, "0x0b")
        elif is_exception and pdu[1] == 0x0A:
            ledger.refused(request.key, request.writes, "0x0a")
        elif is_exception and pdu[1] in (1, 3) and request.kind != "whole":
            ledger.refused(request.key, request.writes, f"0x0{pdu[1]}")
        else:
            ledger.violate(
                f"a client got what does not answer a {request.kind} request", f"{request.key.hex()} got {pdu.hex()}"
            )
            ledger.doubted(request.key, request.writes, "wrong")


class HeaderClient(Client):
    """Modbus/TCP: several at a time, in pieces now and then, or with a header that is none."""

    def ask(self):
        output = b""
        while len(self.waiting) < self.run.depth and self.run.take():
            request = self.requests.next(self.run.ledger)
            if request.may_be_sent:
                self.run.ledger.asked(request.key, request.writes)
            id = self.random.getrandbits(16)
            while id in self.waiting:
                id = self.random.getrandbits(16)
            self.waiting[id] = request
            output += self.wire.seal(id, request)
        draw = self.random.random()
        if not output:
            return
        if draw < 0.0005:
            self.send(output)
            self.drop("left")
            self.connect()
        elif draw < 0.001:
            self.send(output + self.random.choice((b"\0\1\0\1\0\6\1\3\0\0\0\1", b"\0\1\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n")))
            self.spoiled = True
        elif draw < 0.02:
            cut = self.random.randrange(len(output))
            self.send(output[:cut])
            self.send(output[cut:])
        else:
            self.send(output)

    spoiled = False

    def closed(self):
        if not self.spoiled:
            self.run.ledger.violate("a client was closed that had done nothing wrong", self.data.hex())
        self.spoiled = False
        self.drop("closed")
        self.connect()

    def take(self):
        while taken := self.wire.answer(self.data):
            end, id, unit, pdu = taken
            self.data = self.data[end:]
            if request := self.waiting.pop(id, None):
                self.judge(request, unit, pdu)
            else:
                self.run.ledger.violate("a client got an answer under an id that it has not asked with", pdu.hex())


class ChecksumClient(Client):
    """RTU over TCP: one at a time. What cannot be read ends its connection."""

    def ask(self):
        while not self.waiting and self.run.take():
            request = self.requests.next(self.run.ledger)
            if request.may_be_sent:
                self.run.ledger.asked(request.key, request.writes)
            self.waiting[0] = request
            self.send(self.wire.seal(0, request))
            if request.kind == "torn" and not self.is_readable(request):
                # The rest is awaited.
                self.drop("left")
                self.connect()

    def is_readable(self, request):
        length = modbus_wire.request_length(request.pdu)
        return length is not None and length <= len(request.pdu)

    def closed(self):
        request = self.waiting.get(0)
        if request and request.may_be_sent:
            self.run.ledger.violate("a client was closed that had done nothing wrong", request.key.hex())
        self.drop("closed")
        self.connect()

    def take(self):
        request = self.waiting.get(0)
        if request is None:
            self.run.ledger.violate("a client got what it has not asked for", self.data.hex())
            self.data = b""
            return
        if len(self.data) < 5:
            return
        is_exception = self.data[1] & 0x80
        length = 2 if is_exception or request.expected is None else len(request.expected)
        if len(self.data) < length + 3:
            return
        message = self.data[: length + 1]
        if self.data != attack_modbus.sealed(message):
            self.run.ledger.violate("a client got a damaged answer", f"{request.key.hex()} got {self.data.hex()}")
        del self.waiting[0]
        self.data = b""
        self.judge(request, message[0], message[1:])


class Run:
    """One run: how much there is to ask, and everything that was said."""

    def __init__(self, options):
        self.loop = Loop()
        self.ledger = Ledger()
        self.seed, self.depth = options.seed, options.depth
        self.left = options.requests
        self.answered = 0
        self.port = None
        self.heard = time.monotonic()

    def take(self):
        """Whether one more request may be asked."""
        if self.left == 0:
            return False
        self.left -= 1
        return True


WIRES = {
    "modbus": (attack_modbus.Header, attack_modbus.Header),
    "to-serial": (attack_modbus.Header, attack_modbus.Checksum),
    "from-serial": (attack_modbus.Checksum, attack_modbus.Header),
    "serial": (attack_modbus.Checksum, attack_modbus.Checksum),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wire", choices=[*WIRES, "http"], default="modbus")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--depth", type=int, default=8, help="how many a client asks at a time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run = Run(options)
    if options.wire == "http":
        attack_http.Device(run)
        make = attack_http.Client
    else:
        clients, device = (kind() for kind in WIRES[options.wire])
        Device(run, device)
        kind = HeaderClient if clients.has_header else ChecksumClient

        def make(run, number):
            return kind(run, number, clients, device)

    run.port = int(sys.stdin.readline().split()[1])
    begin = run.heard = time.monotonic()
    everyone = [make(run, number) for number in range(options.clients)]
    said = begin
    while run.answered < options.requests:
        run.loop.turn()
        now = time.monotonic()
        if now - said > 20:
            print(f"{run.answered} of {options.requests} after {now - begin:.0f} s", flush=True)
            said = now
        if now - run.heard > PATIENCE:
            stuck = [show(request.key) for each in everyone for request in each.requests_waiting()]
            run.ledger.violate("clients were not answered any more", ", ".join(stuck[:5]))
            break
    for line in run.ledger.examples:
        print(line)
    for what, count in run.ledger.violations.most_common():
        print(f"{count} times: {what}")
    seconds = time.monotonic() - begin
    print(f"{run.answered} requests in {seconds:.1f} s, {run.answered / seconds:.0f} a second")
    print(run.ledger.verdict(), flush=True)
    sys.exit(1 if run.ledger.violations else 0)


main()

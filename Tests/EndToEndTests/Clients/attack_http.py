"""Random requests of HTTP, crafted ones among them, and a device that reads heads as leniently as gadgets do."""

import hashlib
import random
import socket
import time

# Behind a request like this a lenient device finds another one; each ends with the place for it.
CRAFTED = [
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked, identity\r\nContent-Length: 0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 0, 40\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: +0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length : 0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nContent_Length: 40\r\n\r\n",
    "GET {path} HTTP/1.1\nHost: d\n\n",
    "GET {path} HTTP/1.1\r\nHost: d\r\nX: a\nContent-Length: 0\r\n\r\n",
    "GET {path} HTTP/1.1\r\nHost: d\r\nX: a\r\n Content-Length: 0\r\n\r\n",
    "GET {path} HTTP/1.1\r\nHost: d\r\nX: a\0b\r\n\r\n",
    "GET {path} HTTP/1.1\r\nHost: d\r\nHost: e\r\n\r\n",
    "GET {path} HTTP/1.1\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n1;a\n0\r\n\r\n\r\n",
]


def digest(body):
    return hashlib.md5(body).hexdigest()


class Request:
    """One request, and the body of its answer; None if it must not reach the device."""

    __slots__ = ("bytes", "key", "writes", "expected")

    def __init__(self, method, path, body=b"", is_chunked=False, crafted=None, inner=b""):
        self.key = f"{method} {path} {digest(body)}"
        # What may not be sent is nothing that could be done.
        self.writes = method != "GET" and not crafted
        self.expected = None if crafted else self.key.encode()
        if crafted:
            self.bytes = crafted.format(path=path).encode() + inner
            return
        head = f"{method} {path} HTTP/1.1\r\nHost: d\r\n"
        if is_chunked:
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            self.bytes = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"
        elif body:
            self.bytes = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        else:
            self.bytes = f"{head}\r\n".encode()


class Client:
    """One client with its connection: several requests at a time, answered in their order."""

    def __init__(self, run, number):
        self.run, self.number = run, number
        self.random = random.Random(f"{run.seed} {number}")
        self.sequence = 0
        self.waiting = []
        # A refusal is the last on its connection.
        self.is_refused = False
        self.connect()

    def connect(self):
        self.connection = socket.create_connection(("127.0.0.1", self.run.port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.setblocking(False)
        self.data = b""
        self.run.loop.add(self.connection, self)
        self.ask()

    def requests_waiting(self):
        return self.waiting

    def next(self):
        draw, self.sequence = self.random, self.sequence + 1
        path = f"/{self.number}/{self.sequence}"
        chance = draw.random()
        if chance < 0.1:
            inner = f"GET /evil{path} HTTP/1.1\r\nHost: d\r\n\r\n".encode()
            method_and_rest = draw.choice(CRAFTED)
            return Request(method_and_rest.split()[0], path, crafted=method_and_rest, inner=inner)
        if chance < 0.75:
            return Request("GET", path)
        # A body that looks like requests.
        body = f"GET /evil{path} HTTP/1.1\r\nHost: d\r\n\r\n".encode() * draw.randint(0, 3)
        body += draw.randbytes(draw.randrange(200))
        return Request(draw.choice(("POST", "PUT")), path, body, is_chunked=draw.random() < 0.4)

    def ask(self):
        output = b""
        # Behind a crafted one the connection is going to end.
        while (
            len(self.waiting) < self.run.depth
            and not (self.waiting and self.waiting[-1].expected is None)
            and self.run.take()
        ):
            request = self.next()
            if request.expected:
                self.run.ledger.asked(request.key, request.writes)
            self.waiting.append(request)
            output += request.bytes
        if output:
            try:
                self.connection.sendall(output)
            except OSError:
                # The end is about to be read.
                pass

    def readable(self):
        try:
            more = self.connection.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            more = b""
        if more:
            self.run.heard = time.monotonic()
            self.data += more
            while self.take():
                pass
            if not self.is_refused:
                self.ask()
            return
        self.is_refused = False
        self.run.loop.remove(self.connection)
        for request in self.waiting:
            if request.expected is None:
                self.run.ledger.refused(request.key, False, "closed")
            else:
                self.run.ledger.violate("a client was closed that had done nothing wrong", request.key)
                self.run.ledger.doubted(request.key, request.writes, "closed")
        self.run.answered += len(self.waiting)
        self.waiting.clear()
        self.connect()

    def take(self):
        head, separator, rest = self.data.partition(b"\r\n\r\n")
        if not separator:
            return False
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        if len(rest) < length:
            return False
        self.data = rest[length:]
        self.run.answered += 1
        ledger = self.run.ledger
        if not self.waiting:
            ledger.violate("a client got what it has not asked for", head)
            return False
        request, status = self.waiting.pop(0), int(head.split()[1])
        if status == 200 and request.expected == rest[:length]:
            ledger.answered(request.key, request.writes)
        elif status in (502, 504) and request.expected:
            ledger.doubted(request.key, request.writes, str(status))
        elif status == 503 and request.expected:
            ledger.doubted(request.key, request.writes, "503")
        elif 400 <= status < 500 or status in (501, 505):
            if request.expected:
                ledger.violate("a whole request was refused", f"{request.bytes} got {status}")
            ledger.refused(request.key, request.writes, str(status))
            self.is_refused = True
        else:
            ledger.violate("a client got what does not answer its request", f"{request.key} got {head} {rest[:length]}")
            ledger.doubted(request.key, request.writes, "wrong")
        return True


class Device:
    """Takes one connection; reads heads as leniently as it can, the first length it finds, and chunks where they are named."""

    def __init__(self, run):
        self.run = run
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.connection, self.data = None, b""
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
                self.answer_all()
            else:
                self.end()

    def answer_all(self):
        while self.connection and (taken := self.request()):
            method, path, body = taken
            key = f"{method} {path} {digest(body)}"
            self.run.ledger.device_was_asked(key)
            answer = key.encode()
            try:
                self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
            except OSError:
                self.end()

    def request(self):
        """The next whole request of the data: method, path, body."""
        data = self.data
        ends = [place + len(end) for end in (b"\n\r\n", b"\n\n") if (place := data.find(end)) >= 0]
        if not ends:
            return None
        end = min(ends)
        head = data[:end].replace(b"\r", b"").decode("latin-1")
        lines = head.split("\n")
        method, path = (lines[0].split() + ["", ""])[:2]
        body = b""
        if "transfer-encoding: chunked" in head.lower():
            while True:
                line, separator, _ = data[end:].partition(b"\r\n")
                if not separator:
                    return None
                size = int(line.split(b";")[0], 16)
                end += len(line) + 2
                if len(data) < end + size + 2:
                    return None
                body += data[end : end + size]
                end += size + 2
                if size == 0:
                    break
        else:
            length = 0
            for line in lines[1:]:
                name, _, value = line.partition(":")
                if name.strip().lower() == "content-length":
                    length = int(value)
                    break
            if len(data) < end + length:
                return None
            body = data[end : end + length]
            end += length
        self.data = data[end:]
        return method, path, body

    def end(self):
        if self.connection:
            self.run.loop.remove(self.connection)
            self.connection = None

"""A device that takes one connection and answers as a script says, byte by byte.

  --wire modbus        requests end where the header says
         by-function   requests end where the function code says; the header's length is not looked at
         serial        RTU over TCP; requests end where the function code says
         any           a request is what one read of the socket brings
  --first-of-each-read what comes in one read behind a whole request is lost

Each further argument is a rule, "REQUEST -> ANSWER". It holds for ever, or for the first two times ("2x REQUEST ..."), or
for the first two of each connection ("2c REQUEST ..."). The first rule that fits and is not used up says what happens;
without one the answer is a right one, as it is with "usual".

  REQUEST   in hexadecimal, from the unit on, without checksum; ".." is any byte, "*" at the end any rest
  ANSWER    hexadecimal, and between it
            id        the request's id               id+1     one more
            swapped   the bytes of it swapped        before   the id of the request before
            usual     the whole right answer         /        another send
            200ms     another send after this time   close    the end of the connection

Says on its output:
  listening PORT
  connected | refused
  asked N HEX          the Nth request, as in a rule
  segments N           how many segments brought requests on a connection, at its end; Linux only
"""

import argparse
import re
import socket
import struct
import sys
import time

import modbus_wire
import one_connection


class Rule:
    def __init__(self, text):
        request, _, answer = text.partition("->")
        times = re.match(r"\s*([0-9]+)([xc])\s", request)
        self.left = self.most = int(times[1]) if times else None
        self.of_each_connection = times is not None and times[2] == "c"
        pattern = "".join(request[times.end() if times else 0 :].split())
        self.pattern = re.compile(pattern.lower().replace("*", ".*"))
        self.pieces = answer.split()

    def takes(self, request):
        if self.left == 0 or not self.pattern.fullmatch(request.hex()):
            return False
        if self.left:
            self.left -= 1
        return True


class Closed(EOFError):
    """The script ends the connection."""


class Modbus:
    """Modbus/TCP; an id before each request, and the header's length or the function's."""

    def __init__(self, by_function):
        self.by_function = by_function

    def take(self, data):
        """The first request of the data: its length, its id, and itself from the unit on. None if it is not whole."""
        if len(data) < 7:
            return None
        if self.by_function:
            length = modbus_wire.request_length(data[7:])
            end = None if length is None else 7 + length
        else:
            end = 6 + struct.unpack_from(">H", data, 4)[0]
        return None if end is None or len(data) < end else (end, data[:2], data[6:end])

    def usual(self, id, request):
        answer = request[:1] + modbus_wire.answer(request[0], request[1:])
        return id + struct.pack(">HH", 0, len(answer)) + answer


class Serial:
    """RTU over TCP."""

    def take(self, data):
        length = modbus_wire.request_length(data[1:])
        end = None if length is None else 1 + length + 2
        return None if end is None or len(data) < end else (end, b"", data[: end - 2])

    def usual(self, _, request):
        answer = request[:1] + modbus_wire.answer(request[0], request[1:])
        return answer + modbus_wire.checksum(answer)


class Anything:
    """Whatever one read brings is a request."""

    def take(self, data):
        return (len(data), b"", data) if data else None

    def usual(self, _, request):
        return request


class Player:
    """Answers the requests of one connection after the other."""

    def __init__(self, options, wire):
        self.rules = [Rule(text) for text in options.rules]
        self.first_of_each_read = options.first_of_each_read
        self.wire = wire
        self.asked = 0
        self.before = b""

    def answer_all(self, connection):
        data = b""
        for rule in self.rules:
            if rule.of_each_connection:
                rule.left = rule.most
        try:
            while more := connection.recv(65536):
                data += more
                while taken := self.wire.take(data):
                    end, id, request = taken
                    data = b"" if self.first_of_each_read else data[end:]
                    self.asked += 1
                    print(f"asked {self.asked} {request.hex()}", flush=True)
                    self.answer(connection, id, request)
                    self.before = id
        finally:
            if sys.platform == "linux":
                # The field tcpi_data_segs_in.
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
                print(f"segments {struct.unpack_from('=I', info, 152)[0]}", flush=True)

    def answer(self, connection, id, request):
        rule = next((rule for rule in self.rules if rule.takes(request)), None)
        output = b""
        for piece in rule.pieces if rule else ["usual"]:
            if piece == "/" or piece.endswith("ms") or piece == "close":
                connection.sendall(output)
                output = b""
            match piece:
                case "id":
                    output += id
                case "id+1":
                    output += struct.pack(">H", struct.unpack(">H", id)[0] + 1 & 0xFFFF)
                case "swapped":
                    output += id[::-1]
                case "before":
                    output += self.before
                case "usual":
                    output += self.wire.usual(id, request)
                case "close":
                    raise Closed
                case "/":
                    pass
                case _ if piece.endswith("ms"):
                    time.sleep(int(piece.removesuffix("ms")) / 1000)
                case _:
                    output += bytes.fromhex(piece)
        connection.sendall(output)


parser = argparse.ArgumentParser()
parser.add_argument("--wire", choices=["modbus", "by-function", "serial", "any"], default="modbus")
parser.add_argument("--first-of-each-read", action="store_true")
parser.add_argument("rules", nargs="*")
options = parser.parse_args()
wires = {"modbus": Modbus(False), "by-function": Modbus(True), "serial": Serial(), "any": Anything()}
one_connection.serve(Player(options, wires[options.wire]).answer_all)

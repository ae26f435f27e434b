"""HTTP messages that are ambiguous, malformed or too large, each on a connection of its own.

For each of them, "NAME STATUS" with the status of the answer, or "NAME closed" where there is none, and the text of the
first line that should not be: "wrong ..." if anything is answered that must not, or the connection stays open behind it.
Says "tried N" at its end.
"""

import argparse
import socket

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
options = parser.parse_args()

GET = b"GET /evil HTTP/1.1\r\nHost: gadget\r\n"
POST = b"POST /evil HTTP/1.1\r\nHost: gadget\r\n"
SMUGGLED = b"GET /evil-smuggled HTTP/1.1\r\nHost: gadget\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# What is sent, and the statuses that may answer it; 0 is an end without an answer.
MESSAGES = {
    # Two lengths: CL.TE, TE.CL, TE.TE and their kin.
    "CL.TE": (POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n0\r\n\r\nG" + SMUGGLED, {400}),
    "TE.CL": (POST + CHUNKED + b"Content-Length: 4\r\n\r\n5c\r\n" + SMUGGLED + b"\r\n0\r\n\r\n", {400}),
    "TE.TE": (POST + CHUNKED + b"Transfer-Encoding: x\r\n\r\n0\r\n\r\n" + SMUGGLED, {400, 501}),
    "TE twice": (POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED, {400, 501}),
    "TE identity": (POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED, {400, 501}),
    "TE xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400, 501}),
    "TE chunked, identity": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED, {400, 501}),
    "TE gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400, 501}),
    "TE with a tab": (POST + b"Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + SMUGGLED, {400, 501}),
    "TE folded": (POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE behind a bare CR": (POST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE behind a bare LF": (POST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE with a space before its colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE behind a space": (POST + b" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "TE in HTTP/1.0": (b"POST /evil HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED, {400}),
    # A length that can be read in two ways.
    "CL twice": (POST + b"Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc" + SMUGGLED, {400}),
    "CL twice the same": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", {400}),
    "CL list": (POST + b"Content-Length: 3, 3\r\n\r\nabc", {400}),
    "CL with a sign": (POST + b"Content-Length: +3\r\n\r\nabc", {400}),
    "CL negative": (POST + b"Content-Length: -3\r\n\r\nabc", {400}),
    "CL hexadecimal": (POST + b"Content-Length: 0x3\r\n\r\nabc", {400}),
    "CL fraction": (POST + b"Content-Length: 3.0\r\n\r\nabc", {400}),
    "CL empty": (POST + b"Content-Length:\r\n\r\nabc", {400}),
    "CL with a space inside": (POST + b"Content-Length: 1 0\r\n\r\nabc", {400}),
    "CL beyond all bounds": (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", {400, 413}),
    "CL of 2 to the 64th": (POST + b"Content-Length: 18446744073709551616\r\n\r\nabc", {400, 413}),
    "CL with a space before its colon": (POST + b"Content-Length : 3\r\n\r\nabc" + SMUGGLED, {400}),
    "CL over the limit": (POST + b"Content-Length: 1000000000\r\n\r\n", {413}),
    # Chunks.
    "chunk size with a sign": (POST + CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n", {400}),
    "chunk size in words": (POST + CHUNKED + b"\r\nthree\r\nabc\r\n0\r\n\r\n", {400}),
    "chunk size with 0x": (POST + CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n", {400}),
    "chunk size beyond all bounds": (POST + CHUNKED + b"\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n", {400, 413}),
    "chunk longer than its size": (POST + CHUNKED + b"\r\n3\r\nabcdef\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "chunk size behind a bare LF": (POST + CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "chunk ended by a bare LF": (POST + CHUNKED + b"\r\n3\r\nabc\n0\r\n\r\n" + SMUGGLED, {400}),
    "chunk extension with a bare LF": (POST + CHUNKED + b"\r\n3;a\nb\r\nabc\r\n0\r\n\r\n" + SMUGGLED, {400}),
    "length in a trailer": (POST + CHUNKED + b"\r\n0\r\nContent-Length: 50\r\n\r\n" + SMUGGLED, {400}),
    "encoding in a trailer": (POST + CHUNKED + b"\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED, {400}),
    # Lines.
    "bare LF everywhere": (b"GET /evil HTTP/1.1\nHost: gadget\n\n", {400}),
    "bare LF at the end": (GET + b"\n", {400}),
    "bare CR in a value": (GET + b"X: a\rb\r\n\r\n", {400}),
    "NUL in a value": (GET + b"X: a\0b\r\n\r\n", {400}),
    "NUL in a name": (GET + b"X\0: a\r\n\r\n", {400}),
    "folded line": (GET + b"X: a\r\n b\r\n\r\n", {400}),
    "space before the first header": (b"GET /evil HTTP/1.1\r\n Host: gadget\r\n\r\n", {400}),
    "no colon": (GET + b"nothing\r\n\r\n", {400}),
    "no name": (GET + b": value\r\n\r\n", {400}),
    # Request lines.
    "HTTP/0.9": (b"GET /evil\r\n\r\n", {400}),
    "HTTP/2.0": (b"GET /evil HTTP/2.0\r\nHost: gadget\r\n\r\n", {400, 505}),
    "HTTP/1.1 with a tail": (b"GET /evil HTTP/1.1x\r\nHost: gadget\r\n\r\n", {400}),
    "HTTP/1.10": (b"GET /evil HTTP/1.10\r\nHost: gadget\r\n\r\n", {400, 505}),
    "two spaces": (b"GET  /evil HTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "space in the target": (b"GET /evil HTTP/1.1 HTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "tab for a space": (b"GET\t/evil\tHTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "control character in the target": (b"GET /evil\x01 HTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "fragment in the target": (b"GET /evil#part HTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 501, 505}),
    # Hosts.
    "no Host": (b"GET /evil HTTP/1.1\r\n\r\n", {400}),
    "two Hosts": (GET + b"Host: other\r\n\r\n", {400}),
    "Host other than the target's": (b"GET http://other/evil HTTP/1.1\r\nHost: gadget\r\n\r\n", {400}),
    "Host with a space": (b"GET /evil HTTP/1.1\r\nHost: a b\r\n\r\n", {400}),
    # What cannot share a connection.
    "CONNECT": (b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n", {501}),
    "WebSocket": (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", {501}),
    "h2c": (GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", {501}),
    "unknown expectation": (GET + b"Expect: evil\r\n\r\n", {417}),
    # Too much.
    "long target": (b"GET /evil" + b"x" * 20000 + b" HTTP/1.1\r\nHost: gadget\r\n\r\n", {414}),
    "long header": (GET + b"X: " + b"x" * 40000 + b"\r\n\r\n", {431}),
    "many headers": (GET + b"X: y\r\n" * 2000 + b"\r\n", {431}),
    "long trailer": (POST + CHUNKED + b"\r\n0\r\nX: " + b"x" * 40000 + b"\r\n\r\n", {400, 431}),
    "long chunk extensions": (POST + CHUNKED + b"\r\n" + (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 1000, {431}),
    "random bytes": (bytes(range(1, 256)) * 4, {400}),
    "TLS": (bytes.fromhex("160301020001000 1fc0303".replace(" ", "")) + b"x" * 512, {0}),
}


def answer(message):
    """The status lines that come back, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", options.port), timeout=modbus.PATIENCE) as peer:
        data = b""
        try:
            peer.sendall(message)
            while more := peer.recv(65536):
                data += more
        except ConnectionError:
            pass
    return data


for name, (message, allowed) in MESSAGES.items():
    try:
        data = answer(message)
    except TimeoutError:
        print("wrong", name, "the connection stays open", flush=True)
        continue
    statuses = [int(line.split()[1]) for line in data.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    if len(statuses) > 1 or not set(statuses or [0]) <= allowed:
        print("wrong", name, data[:200], flush=True)
    else:
        print(name, statuses[0] if statuses else "closed", flush=True)
print("tried", len(MESSAGES), flush=True)

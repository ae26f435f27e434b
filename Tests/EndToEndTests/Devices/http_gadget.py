"""A small web server as gadgets have them: Python's http.server, one connection at a time.

  GET /echo, POST /echo      the body and what came in X- headers, and the request line in X-Request
  GET /bytes?n=N             N bytes that depend on N
  GET /chunked?n=N           the same in chunks, with a trailer
  GET /until-close?n=N       the same without a length: the end of the connection ends it
  GET /not-modified, /no-content
  GET /early                 an interim response before the final one
  GET /closing               an answer with Connection: close
  GET /slow?s=S              an answer after S seconds
  GET /lies                  fewer bytes than announced, then the end
  GET /both                  chunks, and a length that is not theirs
  GET /line-feeds            lines that end with a line feed alone
  GET /control               a field with control characters
  GET /chunkless             both lengths, and no chunks
  GET /gone                  the end of the connection instead of an answer

Says "listening PORT", "connected" for each connection, and "evil" for a request that no gadget should ever see.
"""

import hashlib
import http.server
import time
import urllib.parse

def body(count):
    """Bytes that are different for each count."""
    block = hashlib.sha256(str(count).encode()).digest()
    return (block * (count // len(block) + 1))[:count]


class Gadget(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        super().setup()
        print("connected", flush=True)

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        count = int(query.get("n", 0))
        if "evil" in self.requestline + str(self.headers):
            print("evil", self.requestline, flush=True)
        match address.path:
            case "/gone":
                self.close_connection = True
            case "/echo":
                self.answer(b"", echo=True)
            case "/bytes":
                self.answer(body(count))
            case "/chunked":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.send_header("Trailer", "X-Digest")
                self.end_headers()
                if self.command != "HEAD":
                    content = body(count)
                    for start in range(0, count, 7919):
                        chunk = content[start : start + 7919]
                        self.wfile.write(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
                    digest = hashlib.sha256(content).hexdigest()
                    self.wfile.write(b"0\r\nX-Digest: " + digest.encode() + b"\r\n\r\n")
            case "/until-close":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body(count))
                self.close_connection = True
            case "/not-modified":
                self.send_response(304)
                # What a 200 would have had (RFC 9110, section 8.6); no body follows.
                self.send_header("Content-Length", "1234")
                self.send_header("ETag", '"1"')
                self.end_headers()
            case "/no-content":
                self.send_response(204)
                self.end_headers()
            case "/early":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
                self.answer(b"late")
            case "/closing":
                self.send_response(200)
                self.send_header("Connection", "close")
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"bye\n")
            case "/slow":
                time.sleep(float(query["s"]))
                self.answer(b"slow")
            case "/lies":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"too few")
                self.close_connection = True
            case "/both" | "/chunkless":
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"5\r\nboth\n\r\n0\r\n\r\n" if address.path == "/both" else b"hello\n")
            case "/line-feeds":
                self.wfile.write(b"HTTP/1.1 200 OK\nServer: gadget\nContent-Length: 5\n\nfeed\n")
            case "/control":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nServer: gad\1get\0\0\r\nContent-Length: 8\r\n\r\ncontrol\n")
            case _:
                self.send_error(404)

    do_HEAD = do_GET

    def do_POST(self):
        if "evil" in self.requestline + str(self.headers):
            print("evil", self.requestline, flush=True)
        if self.headers.get("Transfer-Encoding") == "chunked":
            content, framing = self.read_chunks(), "chunked"
        else:
            content, framing = self.rfile.read(int(self.headers["Content-Length"])), "length"
        self.answer(content, framing, echo=True)

    do_PUT = do_POST

    def read_chunks(self):
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            assert self.rfile.readline() == b"\r\n"
        while (line := self.rfile.readline()) != b"\r\n":
            name, value = line.decode().split(":", 1)
            self.headers.add_header("X-Trailer-" + name, value.strip())
        return content

    def answer(self, content, framing=None, echo=False):
        self.send_response(200)
        if framing:
            self.send_header("X-Framing", framing)
        if echo:
            self.send_header("X-Request", self.requestline)
            self.send_header("X-Names", ",".join(self.headers.keys()))
            for name, value in self.headers.items():
                if name.lower().startswith("x-"):
                    self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


# One connection at a time: further ones wait.
server = http.server.HTTPServer(("127.0.0.1", 0), Gadget)
print("listening", server.server_address[1], flush=True)
server.serve_forever()

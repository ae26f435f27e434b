"""Clients on Python's http.client, all at once, each with kept-alive connections, checking every byte that they get.

Says "verified N" at its end, and "well" when each client has had its first right answer.
"""

import argparse
import hashlib
import http.client
import itertools
import random
import sys
import threading

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--clients", type=int, default=50)
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--largest", type=int, default=20_000)
parser.add_argument("--endless", action="store_true", help="until the end of the input")
options = parser.parse_args()
verified = [0] * options.clients
failures = []
is_well, is_ending = threading.Event(), threading.Event()


def body(count):
    block = hashlib.sha256(str(count).encode()).digest()
    return (block * (count // len(block) + 1))[:count]


def chunks(content, size):
    for start in range(0, len(content), size):
        yield content[start : start + size]


def ask(connection, method, path, **more):
    connection.request(method, path, **more)
    response = connection.getresponse()
    return response, response.read()


def run(client):
    try:
        talk(client)
    except BaseException as error:
        print("wrong", client, repr(error)[:500], flush=True)
        failures.append(client)


def talk(client):
    source = random.Random(client)
    connection = http.client.HTTPConnection("127.0.0.1", options.port, timeout=3 * modbus.PATIENCE)
    for round in itertools.count():
        if is_ending.is_set() if options.endless else round == options.rounds:
            break
        name = f"client {client} round {round}"
        count = source.randint(1, options.largest)
        match source.randrange(6):
            case 0:
                response, content = ask(connection, "GET", f"/bytes?n={count}")
                assert content == body(count)
            case 1:
                response, content = ask(connection, "GET", f"/chunked?n={count}")
                assert content == body(count)
                assert response.getheader("Transfer-Encoding") == "chunked", response.getheaders()
            case 2:
                sent = source.randbytes(count)
                response, content = ask(connection, "POST", "/echo", body=sent, headers={"X-Name": name})
                assert content == sent
                assert response.getheader("X-Name") == name
                assert response.getheader("X-Framing") == "length"
            case 3:
                sent = source.randbytes(count)
                response, content = ask(
                    connection,
                    "POST",
                    "/echo",
                    body=chunks(sent, 1000),
                    headers={"X-Name": name, "Transfer-Encoding": "chunked"},
                    encode_chunked=True,
                )
                assert content == sent
                assert response.getheader("X-Name") == name
                # Gadgets understand a length better than chunks.
                assert response.getheader("X-Framing") == "length"
            case 4:
                response, content = ask(connection, "HEAD", f"/bytes?n={count}")
                assert content == b""
                assert response.getheader("Content-Length") == str(count)
            case 5:
                response, content = ask(connection, "GET", "/echo", headers={"X-Name": name})
                assert response.getheader("X-Name") == name
        assert response.status == 200, response.status
        verified[client] += 1
        if min(verified) == 1 and not is_well.is_set():
            is_well.set()
            print("well", flush=True)
        # A new connection now and then.
        if source.random() < 0.1:
            connection.close()


threads = [threading.Thread(target=run, args=(client,)) for client in range(options.clients)]
for thread in threads:
    thread.start()
if options.endless:
    sys.stdin.buffer.read()
    is_ending.set()
for thread in threads:
    thread.join()
    assert failures == [], failures
assert min(verified) >= (1 if options.endless else options.rounds), verified
print("verified", sum(verified), flush=True)

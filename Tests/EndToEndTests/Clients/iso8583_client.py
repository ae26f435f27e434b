"""Terminals on pyiso8583, all at once; each asks one question after the other and checks that the answer is its own.

Says "verified N" at its end.

  --length-bytes, --length-format, --header   how messages are framed
"""

import argparse
import os
import socket
import sys
import threading

import iso8583
from iso8583.specs import default_ascii as spec

sys.path.append(os.path.join(os.path.dirname(__file__), "../Devices"))
import length_prefix  # noqa: E402

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--terminals", type=int, default=10)
parser.add_argument("--questions", type=int, default=30)
length_prefix.add_options(parser)
options = parser.parse_args()
verified = [0] * options.terminals


def run(terminal):
    with socket.create_connection(("127.0.0.1", options.port), timeout=modbus.PATIENCE) as connection:
        for question in range(options.questions):
            trace = f"{terminal * 1000 + question:06}"
            amount = f"{terminal * 7919 + question * 104729:012}"
            request = {"t": "0200", "3": "000000", "4": amount, "11": trace}
            connection.sendall(length_prefix.frame(options, iso8583.encode(request, spec)[0]))
            answer, _ = iso8583.decode(length_prefix.receive(options, connection), spec)
            expected = {"t": "0210", "4": amount, "11": trace, "39": "00"}
            got = {key: answer.get(key) for key in expected}
            assert got == expected, (got, expected)
            verified[terminal] += 1


threads = [threading.Thread(target=run, args=(terminal,)) for terminal in range(options.terminals)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert verified == [options.questions] * options.terminals, verified
print("verified", sum(verified), flush=True)

"""A payment host on pyiso8583: approves what it is asked, and asks whether we are alive in between.

A 0200 or 0800 gets its 0210 or 0810 with the request's trace number, and before each of them, sometimes together with it
in one segment, comes an echo test of the host's own.

  --length-bytes, --length-format, --header   how messages are framed
"""

import argparse
import itertools

import iso8583
from iso8583.specs import default_ascii as spec

import length_prefix
import one_connection

parser = argparse.ArgumentParser()
length_prefix.add_options(parser)
options = parser.parse_args()
numbers = itertools.count(900000)


def echo_test():
    return length_prefix.frame(options, iso8583.encode({"t": "0800", "11": str(next(numbers)), "70": "301"}, spec)[0])


def answer_all(connection):
    for round in itertools.count():
        request, _ = iso8583.decode(length_prefix.receive(options, connection), spec)
        if request["t"] == "0810":
            continue
        answer = {"t": request["t"][:2] + "10", "11": request["11"], "39": "00"}
        if "4" in request:
            answer["4"] = request["4"]
        answer = length_prefix.frame(options, iso8583.encode(answer, spec)[0])
        match round % 3:
            case 0:
                connection.sendall(echo_test() + answer)
            case 1:
                connection.sendall(answer + echo_test())
            case _:
                connection.sendall(echo_test())
                connection.sendall(answer)


one_connection.serve(answer_all)

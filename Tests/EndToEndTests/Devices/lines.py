"""A console that answers each line with the line in capitals, as soon as its end is there.

  --delimiter HEX   what ends a line instead of a newline
"""

import argparse

import one_connection

parser = argparse.ArgumentParser()
parser.add_argument("--delimiter", type=bytes.fromhex, default=b"\n")
options = parser.parse_args()


def answer_all(connection):
    data = b""
    while more := connection.recv(65536):
        data += more
        *lines, data = data.split(options.delimiter)
        for line in lines:
            connection.sendall(line.upper() + options.delimiter)


one_connection.serve(answer_all)

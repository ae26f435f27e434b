"""A device whose messages have a length in front, and which answers each with its bytes reversed."""

import argparse

import length_prefix
import one_connection

parser = argparse.ArgumentParser()
length_prefix.add_options(parser)
options = parser.parse_args()


def answer_all(connection):
    while True:
        message = length_prefix.receive(options, connection)
        connection.sendall(length_prefix.frame(options, message[::-1]))


one_connection.serve(answer_all)

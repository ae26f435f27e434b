"""Messages with a length in front, written and read by plain Python."""

import one_connection


def add_options(parser):
    parser.add_argument("--length-bytes", type=int, default=2)
    parser.add_argument("--length-format", choices=["binary", "ascii", "bcd"], default="binary")
    parser.add_argument("--length-order", choices=["big", "little"], default="big")
    parser.add_argument("--length-includes-header", action="store_true")
    parser.add_argument("--length-adds", type=int, default=0, help="how many reserved bytes stand behind the length")
    parser.add_argument("--header", type=bytes.fromhex, default=b"", help="the bytes before the length")


def frame(options, message):
    length = len(message)
    if options.length_includes_header:
        length += len(options.header) + options.length_bytes
    match options.length_format:
        case "binary":
            prefix = length.to_bytes(options.length_bytes, options.length_order)
        case "ascii":
            prefix = b"%0*d" % (options.length_bytes, length)
        case "bcd":
            prefix = bytes.fromhex("%0*d" % (2 * options.length_bytes, length))
    return options.header + prefix + bytes(options.length_adds) + message


def receive(options, connection):
    header = one_connection.receive_exactly(connection, len(options.header))
    assert header == options.header, header
    prefix = one_connection.receive_exactly(connection, options.length_bytes)
    match options.length_format:
        case "binary":
            length = int.from_bytes(prefix, options.length_order)
        case "ascii":
            length = int(prefix)
        case "bcd":
            length = int(prefix.hex())
    if options.length_includes_header:
        length -= len(options.header) + options.length_bytes
    reserved = one_connection.receive_exactly(connection, options.length_adds)
    assert reserved == bytes(options.length_adds), reserved
    return one_connection.receive_exactly(connection, length)

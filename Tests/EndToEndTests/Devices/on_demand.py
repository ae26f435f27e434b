"""A Modbus/TCP device that says what it is asked, and answers when it is told to.

Takes one connection. Every unit has registers of its own, which begin at 0: functions 3, 4, 6 and 16. What is read from
address 60000 on is how many reads of that unit it has carried out, this one included; from 65000 on it answers with
exception 2.

Says on its output:
  listening PORT
  connected | refused
  asked N unit=U PDU         the Nth request, its PDU in hexadecimal; N begins at 1

On its input, a line each:
  answer N                   N more requests: those that came, or those to come
  answer all                 from now on at once
"""

import collections
import struct
import sys
import threading

import one_connection
from one_connection import receive_exactly


class Registers:
    def __init__(self):
        self.values = collections.defaultdict(int)
        self.reads = 0

    def answer(self, pdu):
        function, address = struct.unpack_from(">BH", pdu)
        if address >= 65000:
            return bytes([function | 0x80, 2])
        if function in (3, 4):
            (count,) = struct.unpack_from(">H", pdu, 3)
            self.reads += 1
            values = [self.reads if address >= 60000 else self.values[address + index] for index in range(count)]
            return struct.pack(f">BB{count}H", function, 2 * count, *values)
        if function == 6:
            (self.values[address],) = struct.unpack_from(">H", pdu, 3)
            return pdu
        if function == 16:
            (count,) = struct.unpack_from(">H", pdu, 3)
            for index, value in enumerate(struct.unpack_from(f">{count}H", pdu, 6)):
                self.values[address + index] = value
            return pdu[:5]
        return bytes([function | 0x80, 1])


class Permits:
    """How many requests may be answered."""

    def __init__(self):
        self.changed = threading.Condition()
        self.left = 0

    def listen(self):
        for line in sys.stdin:
            amount = line.split()[1]
            with self.changed:
                self.left += float("inf") if amount == "all" else int(amount)
                self.changed.notify_all()

    def take(self):
        with self.changed:
            self.changed.wait_for(lambda: self.left > 0)
            self.left -= 1


permits = Permits()
units = collections.defaultdict(Registers)
asked = 0


def answer_all(connection):
    global asked
    while True:
        transaction, protocol, length, unit = struct.unpack(">HHHB", receive_exactly(connection, 7))
        pdu = receive_exactly(connection, length - 1)
        asked += 1
        print(f"asked {asked} unit={unit} {pdu.hex()}", flush=True)
        permits.take()
        # The value is that of the moment of the answer.
        answer = units[unit].answer(pdu)
        connection.sendall(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)


threading.Thread(target=permits.listen, daemon=True).start()
one_connection.serve(answer_all)

"""Writers and readers of the same registers; whoever reads after a write was answered must see it.

A register has one writer, which writes 1, 2, 3, … to it, and all readers read it. What a reader gets must be at least what
was written and answered, or read by anybody, before it asked, and at most what was being written when the answer came.
Writers call the device unit 2, readers unit 1: a unit map is to make one of them.

Says on its output:
  wrong ...              what a reader must not see
  done reads=N writes=N
"""

import argparse
import asyncio
import random
import struct

import modbus

READ = struct.Struct(">BBHHHH")


class Register:
    def __init__(self, address):
        self.address = address
        # The newest value that anybody can know of, and the newest that the device can have.
        self.known = self.possible = 0


class Group:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.registers = [Register(4 * index) for index in range(options.registers)]
        self.writers = options.registers
        self.reads = self.writes = self.wrong = 0

    async def run(self):
        readers = [self.read() for _ in range(self.options.readers)]
        await asyncio.gather(*[self.write(register) for register in self.registers], *readers)
        print(f"done reads={self.reads} writes={self.writes}", flush=True)

    async def write(self, register):
        connection = await modbus.Connection.open(self.options.port, 2)
        for value in range(1, self.options.writes + 1):
            register.possible = value
            self.check(await connection.exchange(modbus.write_registers(register.address, [value] * 4)), "write")
            register.known = max(register.known, value)
            self.writes += 1
            # Some writes follow at once, others leave room for many reads of the same value.
            if self.random.random() < 0.5:
                await asyncio.sleep(self.random.uniform(0, 0.02))
        self.writers -= 1
        connection.close()

    async def read(self):
        connection = await modbus.Connection.open(self.options.port, 1)
        while self.writers:
            register = self.random.choice(self.registers)
            known = register.known
            (answer,) = await connection.exchange(modbus.read_registers(register.address, 4))
            self.check([answer], "read")
            values = READ.unpack(answer)[2:]
            if len(set(values)) != 1 or not known <= values[0] <= register.possible:
                self.wrong += 1
                print(f"wrong {values} at {register.address}, not {known} to {register.possible}", flush=True)
            register.known = max(register.known, values[0])
            self.reads += 1
        connection.close()

    def check(self, answers, what):
        for answer in answers:
            if isinstance(answer, modbus.ModbusException):
                print(f"wrong {answer} for a {what}", flush=True)
                raise answer


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--registers", type=int, default=3)
parser.add_argument("--writes", type=int, default=200, help="of each register")
parser.add_argument("--readers", type=int, default=12)
parser.add_argument("--seed", type=int, default=1)
asyncio.run(Group(parser.parse_args()).run())

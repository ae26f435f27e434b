"""pymodbus's own server: Modbus/TCP or, with --rtu, RTU over TCP.

Its unit is 7. Registers 0 to 999 hold what is written to them.
"""

import argparse
import asyncio

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

parser = argparse.ArgumentParser()
parser.add_argument("--rtu", action="store_true")
parser.add_argument("--unit", type=int, default=7)
options = parser.parse_args()


def block():
    # pymodbus counts from 1.
    return ModbusSequentialDataBlock(1, [0] * 1000)


def connected(is_connected):
    if is_connected:
        print("connected", flush=True)


async def main():
    device = ModbusDeviceContext(di=block(), co=block(), hr=block(), ir=block())
    server = ModbusTcpServer(
        ModbusServerContext(devices={options.unit: device}, single=False),
        framer=FramerType.RTU if options.rtu else FramerType.SOCKET,
        address=("127.0.0.1", 0),
        broadcast_enable=options.rtu,
        trace_connect=connected,
    )
    await server.listen()
    print("listening", server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())

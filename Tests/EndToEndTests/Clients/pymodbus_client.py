"""pymodbus reading and writing, plain or over TLS; says "verified N" at its end."""

import argparse

from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient, ModbusTlsClient

import modbus

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--address", type=int, required=True)
parser.add_argument("--rounds", type=int, default=25)
parser.add_argument("--certificates", help="speak TLS, with the certificates of this folder")
parser.add_argument("--version", choices=["1.2", "1.3"])
parser.add_argument("--rtu", action="store_true", help="speak RTU over TCP")
parser.add_argument("--unit", type=int, default=7)
parser.add_argument("--foreign", action="store_true", help="no SunSpec, and inputs of their own")
options = parser.parse_args()

network = {"port": options.port, "timeout": modbus.PATIENCE, "retries": 0}
if options.certificates:
    context = modbus.tls(options.certificates, version=options.version)
    # pymodbus passes no name on.
    context.check_hostname = False
    client = ModbusTlsClient("127.0.0.1", sslctx=context, **network)
else:
    client = ModbusTcpClient("127.0.0.1", framer=FramerType.RTU if options.rtu else FramerType.SOCKET, **network)
assert client.connect()
if options.certificates:
    assert client.socket.version() == f"TLSv{options.version}", client.socket.version()

verified = 0


def verify(response):
    global verified
    assert not response.isError(), response
    verified += 1
    return response


unit = {"device_id": options.unit}
for round in range(options.rounds):
    values = [(round * 251 + index * 257) % 0x10000 for index in range(8)]
    coils = [(round >> index) & 1 == 1 for index in range(8)]
    verify(client.write_registers(options.address, values, **unit))
    verify(client.write_register(options.address + 8, round, **unit))
    verify(client.write_coils(options.address, coils, **unit))
    verify(client.write_coil(options.address + 8, round % 2 == 1, **unit))
    read = verify(client.read_holding_registers(options.address, count=9, **unit)).registers
    assert read == values + [round], read
    read = verify(client.read_coils(options.address, count=9, **unit)).bits[:9]
    assert read == coils + [round % 2 == 1], read
    if not options.foreign:
        read = verify(client.read_input_registers(options.address, count=9, **unit)).registers
        assert read == values + [round], read
        read = verify(client.read_discrete_inputs(options.address, count=9, **unit)).bits[:9]
        assert read == coils + [round % 2 == 1], read
        read = verify(client.read_holding_registers(40000, count=2, **unit)).registers
        assert read == [0x5375, 0x6E53], read
# An exception of the device's own comes through as it is.
exception = client.read_holding_registers(5000, count=1, **unit)
assert exception.exception_code == 2, exception
client.close()
print("verified", verified, flush=True)

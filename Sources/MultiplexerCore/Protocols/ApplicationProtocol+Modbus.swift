extension ApplicationProtocol {
    /// Modbus/TCP.
    public static let modbus = ApplicationProtocol(
        name: "modbus",
        aliases: ["modbus-tcp"],
        summary: "Modbus/TCP: inverters, meters, wallboxes, PLCs, usually on port 502",
        messages: .modbus,
        framing: ModbusTCPFraming(),
        messageRules: ModbusMessageRules()
    )

    /// Modbus/TCP with a checksum: what the Go program calls modbus-rtu.
    public static let modbusRTU = ApplicationProtocol(
        name: "modbus-rtu",
        summary: "Modbus/TCP with a checksum, as the Go program has it; what most call RTU over TCP is modbus-serial",
        messages: .modbus,
        framing: ModbusTCPWithCRCFraming(),
        messageRules: ModbusMessageRules()
    )

    /// Modbus RTU over TCP.
    public static let modbusSerial = ApplicationProtocol(
        name: "modbus-serial",
        aliases: ["modbus-rtu-over-tcp", "rtu-over-tcp"],
        summary: "Modbus RTU over TCP: serial adapters in transparent mode",
        messages: .modbus,
        framing: ModbusRTUFraming(),
        messageRules: ModbusMessageRules(broadcastsUnit0: true),
        // An adapter carries what a slow device still has to say over any later connection.
        quietTime: .seconds(1)
    )
}

import Testing

extension EndToEnd {
    /// Modbus on other wires than Modbus/TCP, with pymodbus on both sides.
    @Suite struct SerialModbus {
        @Test func `clients of Modbus TCP share a device that speaks RTU over TCP`() async throws {
            let device = try await IndependentDevice.start("pymodbus_device.py", "--rtu")
            let server = try await Server.start(port: device.port, "-p", "modbus", "--target-protocol", "modbus-serial")
            try await verify([], [], at: server.plainPort)
            server.expectNoTrouble()
        }

        @Test func `clients of RTU over TCP share a device that speaks Modbus TCP`() async throws {
            let device = try await IndependentDevice.start("pymodbus_device.py")
            let server = try await Server.start(
                port: device.port,
                "-p",
                "modbus-rtu-over-tcp",
                "--target-protocol",
                "modbus"
            )
            try await verify(["--rtu"], ["--rtu"], at: server.plainPort)
            server.expectNoTrouble()
        }

        @Test func `clients and device may both speak RTU over TCP`() async throws {
            let device = try await IndependentDevice.start("pymodbus_device.py", "--rtu")
            let server = try await Server.start(port: device.port, "-p", "modbus-serial")
            try await verify(["--rtu"], ["--rtu"], at: server.plainPort)
            server.expectNoTrouble()
        }

        // Trap T10: two clients' units may stand for one device's, and each gets its own back.
        @Test func `clients may know the device by other unit ids`() async throws {
            let device = try await IndependentDevice.start("pymodbus_device.py", "--rtu")
            let server = try await Server.start(
                port: device.port,
                "-p",
                "modbus",
                "--target-protocol",
                "modbus-serial",
                "--unit-map",
                "1=7",
                "--unit-map",
                "2=7"
            )
            try await verify(["--unit", "1"], ["--unit", "2"], at: server.plainPort)
            try await verify(["--unit", "7"], ["--unit", "1"], at: server.plainPort)
        }

        // Trap T32: a device does not answer a broadcast, and nobody waits for it.
        @Test func `a broadcast reaches the device and stalls nobody`() async throws {
            let device = try await IndependentDevice.start("pymodbus_device.py", "--rtu")
            let server = try await Server.start(port: device.port, "-p", "modbus", "--target-protocol", "modbus-serial")
            // Unit 0: write 42 to register 500. Then unit 7: read it.
            let client = try RunningProgram.client(
                "raw.py",
                [
                    "\(server.plainPort)", "--seconds", "2", "--send",
                    "000100000006000601f4002a" + "000200000006070301f40001",
                ]
            )
            try await client.end()
            #expect(client.lines.map(\.text) == ["connected", "received 000200000005070302002a", "still open"])
        }

        /// Lets two pymodbus clients with these options verify their exchanges at the same time.
        private func verify(_ one: [String], _ other: [String], at port: Int) async throws {
            let clients = try zip([one, other], [100, 200]).map { options, address in
                try RunningProgram.client(
                    "pymodbus_client.py",
                    ["\(port)", "--address", "\(address)", "--foreign"] + options
                )
            }
            for client in clients {
                #expect(try await client.end(within: .seconds(60)) == .exited(0), "\(client.lines.map(\.text))")
                #expect(client.lines.last?.text == "verified 150")
            }
        }
    }
}

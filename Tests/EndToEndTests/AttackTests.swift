#if os(Linux)
    import Testing

    extension EndToEnd {
        /// Random requests, crafted ones among them, to a device that goes by function codes: `Clients/attack.py`.
        @Suite struct Attack {
            /// What clients and device speak, and how much is asked.
            struct Wire: CustomTestStringConvertible {
                var testDescription: String
                var options: [String]
                var requests = 1_500
            }

            /// `make attack` asks more.
            @Test(arguments: [
                Wire(testDescription: "modbus", options: ["-p", "modbus", "--max-in-flight", "8"], requests: 4_000),
                Wire(testDescription: "to-serial", options: ["-p", "modbus", "--target-protocol", "modbus-serial"]),
                Wire(
                    testDescription: "from-serial",
                    options: ["-p", "modbus-serial", "--target-protocol", "modbus", "--max-in-flight", "8"]
                ),
                Wire(testDescription: "serial", options: ["-p", "modbus-serial"]),
                Wire(testDescription: "http", options: ["-p", "http"], requests: 1_000),
            ])
            func `what the device was asked is what clients were told`(wire: Wire) async throws {
                let attack = try RunningProgram.client(
                    "attack.py",
                    ["--wire", wire.testDescription, "--requests", "\(wire.requests)"],
                    hasInput: true
                )
                let server = try await Server.start(
                    port: try await attack.portSaid(),
                    wire.options + ["--timeout", "1s"]
                )
                try attack.tell("server \(server.plainPort)")
                let ended = try await attack.end(within: .seconds(60))
                let said = attack.lines.map(\.text).joined(separator: "\n")
                #expect(ended == .exited(0), "\(said)")
                let verdict = try #require(attack.lines.last?.text)
                print("\(wire.testDescription): \(verdict)")
                let right = try #require(verdict.firstMatch(of: /\sright=([0-9]+)/).flatMap { Int($0.1) })
                // The others were not to be sent.
                #expect(right > wire.requests / 2)
            }
        }
    }
#endif

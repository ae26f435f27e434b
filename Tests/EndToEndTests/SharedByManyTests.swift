import Testing

extension EndToEnd {
    @Suite struct SharedByMany {
        @Test func `mbpoll, pymodbus and fifty others share one connection, plain and over TLS`() async throws {
            let device = try await Device.start()
            let server = try await Server.startWithTLS(device)
            let started = ContinuousClock.now
            let load = try await Load.start(server, plainClients: 30, tlsClients: 20)

            async let plain = pymodbus(server.plainPort, at: 900)
            async let overTLS12 = pymodbus(server.tlsPort, at: 920, version: "1.2")
            async let overTLS13 = pymodbus(server.tlsPort, at: 940, version: "1.3")
            var verified = try await pollWithMbpoll(server.plainPort, at: 960)
            verified += try await plain + overTLS12 + overTLS13
            try await load.verify(more: 50)
            verified += try await load.finish()

            #expect(device.refusedConnections == 0)
            #expect(device.program.lines(containing: "client connected").count == 1)
            #expect(server.program.lines(containing: "refused").isEmpty)
            #expect(server.program.lines(containing: "dropped").isEmpty)
            print("\(verified) exchanges of 54 clients verified in \(ContinuousClock.now - started)")
        }

        @Test func `a device that takes several requests at a time is shared as well`() async throws {
            let device = try await Device.start()
            let server = try await Server.startWithTLS(device, ["--max-in-flight", "16"])
            let load = try await Load.start(server, plainClients: 8, tlsClients: 4)
            try await load.verify(more: 100)
            _ = try await load.finish()
            #expect(device.refusedConnections == 0)
            #expect(server.program.lines(containing: "dropped").isEmpty)
        }

        /// Returns how many exchanges were verified.
        private func pymodbus(_ port: Int, at address: Int, version: String? = nil) async throws -> Int {
            var arguments = ["\(port)", "--address", "\(address)"]
            if let version {
                arguments += ["--certificates", try await Certificates.made().path, "--version", version]
            }
            let client = try RunningProgram.client("pymodbus_client.py", arguments)
            let line = try await client.line(containing: "verified", within: .seconds(60)).text
            #expect(try await client.end() == .exited(0))
            return try #require(line.split(separator: " ").last.flatMap { Int($0) })
        }

        /// Returns how many exchanges were verified.
        private func pollWithMbpoll(_ port: Int, at address: Int) async throws -> Int {
            for round in 1...3 {
                let (first, second) = (round * 1_000, round * 1_001)
                _ = try await mbpoll(port, "-t", "4", "-r", "\(address)", writing: "\(first)", "\(second)")
                for table in ["3", "4"] {
                    let read = try await mbpoll(port, "-t", table, "-r", "\(address)", "-c", "2")
                    #expect(read == ["[\(address)]: \t\(first)", "[\(address + 1)]: \t\(second)"])
                }
                _ = try await mbpoll(port, "-t", "0", "-r", "\(address)", writing: "1", "0", "\(round % 2)")
                for table in ["0", "1"] {
                    let read = try await mbpoll(port, "-t", table, "-r", "\(address)", "-c", "3")
                    #expect(read == zip(address..., [1, 0, round % 2]).map { "[\($0)]: \t\($1)" })
                }
            }
            return 18
        }

        /// Returns the lines that mbpoll prints for values.
        private func mbpoll(_ port: Int, _ options: String..., writing values: String...) async throws -> [String] {
            let tool = try RunningProgram(
                Tools.system("mbpoll"),
                ["-m", "tcp", "-p", "\(port)", "-a", "1", "-0", "-1", "-o", "10"] + options + ["127.0.0.1"] + values
            )
            let ended = try await tool.end()
            #expect(ended == .exited(0), "\(tool.lines.map(\.text).joined(separator: "\n"))")
            return tool.lines(containing: "[").filter { $0.hasPrefix("[") }
        }
    }
}

import Testing

extension EndToEnd {
    /// Messages with a length in front: terminals and a host on pyiso8583, and a plain Python peer.
    @Suite struct LengthPrefixed {
        // Trap T20: the host asks whether we are alive, before, behind and together with its answers.
        @Test(arguments: [
            (["-p", "iso8583"], []),
            (["-p", "mpu"], ["--length-bytes", "4", "--length-format", "ascii"]),
            (["-p", "iso8583", "--length-adds", "2"], ["--length-adds", "2"]),
            (
                ["-p", "iso8583", "--header-bytes", "5", "--length-format", "bcd", "--length-includes-header"],
                ["--header", "6000120034", "--length-format", "bcd", "--length-includes-header"]
            ),
        ])
        func `terminals get their own answers from a host that also asks`(
            _ options: [String],
            _ framing: [String]
        ) async throws {
            let device = try await IndependentDevice.start("iso8583_host.py", framing)
            let server = try await Server.start(port: device.port, options)
            let terminals = try RunningProgram.client("iso8583_client.py", ["\(server.plainPort)"] + framing)
            #expect(try await terminals.end(within: .seconds(60)) == .exited(0))
            #expect(terminals.lines.map(\.text) == ["verified 300"])
            #expect(device.connections.refused == 0)
            server.expectNoTrouble()
            #expect(!server.program.lines(containing: "of its own accord").isEmpty)
        }

        @Test(arguments: [
            [], ["--length-bytes", "1"], ["--length-bytes", "4", "--length-order", "little"],
            ["--length-bytes", "4", "--length-format", "bcd"],
            ["--length-format", "ascii"],
            ["--length-order", "little", "--length-includes-header"], ["--length-adds", "2"],
            ["--length-order", "little", "--length-includes-header", "--length-adds", "13"],
        ])
        func `any length in front is understood`(_ framing: [String]) async throws {
            let device = try await IndependentDevice.start("length_prefixed.py", framing)
            let server = try await Server.start(port: device.port, ["-p", "length-prefixed"] + framing)
            let clients = try RunningProgram.client("length_prefixed_client.py", ["\(server.plainPort)"] + framing)
            #expect(try await clients.end(within: .seconds(60)) == .exited(0))
            #expect(clients.lines.map(\.text) == ["verified 160"])
            #expect(device.connections.refused == 0)
            server.expectNoTrouble()
        }

        // Trap T5.
        @Test func `a length that is no number closes its sender alone`() async throws {
            let framing = ["--length-bytes", "4", "--length-format", "ascii"]
            let device = try await IndependentDevice.start("length_prefixed.py", framing)
            let server = try await Server.start(port: device.port, "-p", "mpu")
            for text in ["-001x", "+001x", " 001x", "0x10x"] {
                let start = server.program.lineCount
                let client = try RunningProgram.shell("printf %s '\(text)' | nc -N 127.0.0.1 \(server.plainPort)")
                try await server.program.line(containing: "client refused", from: start)
                try await client.end()
            }
            let client = try RunningProgram.shell("printf 0003abc | nc -N 127.0.0.1 \(server.plainPort)")
            #expect(try await client.end() == .exited(0))
            #expect(client.lines.map(\.text) == ["0003cba"])
        }
    }
}

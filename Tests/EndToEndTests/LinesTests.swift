import Testing

extension EndToEnd {
    /// Lines between netcat and a console.
    @Suite struct Lines {
        @Test func `netcat gets the answers to its own lines, whoever else asks`() async throws {
            let device = try await IndependentDevice.start("lines.py")
            let server = try await Server.start(port: device.port, "-p", "echo")
            let clients = try (1...8).map { client in
                try RunningProgram.shell(
                    "(for i in 1 2 3 4 5; do echo client \(client) line $i; done; printf 'kept\\r\\n')"
                        + " | nc -N 127.0.0.1 \(server.plainPort)"
                )
            }
            for (client, program) in zip(1..., clients) {
                #expect(try await program.end() == .exited(0))
                let expected = (1...5).map { "CLIENT \(client) LINE \($0)" } + ["KEPT\r"]
                #expect(program.lines.map(\.text) == expected)
            }
            #expect(device.connections.refused == 0)
        }

        @Test func `messages may end with any delimiter`() async throws {
            let device = try await IndependentDevice.start("lines.py", "--delimiter", "033b")
            let server = try await Server.start(port: device.port, "-p", "delimited", "--delimiter", "033b")
            let client = try RunningProgram.shell(
                #"printf 'one\ntwo;\003;three\003;' | nc -N 127.0.0.1 \#(server.plainPort) | tr '\003' '#'"#
            )
            #expect(try await client.end() == .exited(0))
            #expect(client.lines.map(\.text) == ["ONE", "TWO;#;THREE#;"])
            #expect(device.connections.refused == 0)
        }

        @Test func `a line that is too long closes its sender alone`() async throws {
            let device = try await IndependentDevice.start("lines.py")
            let server = try await Server.start(port: device.port, "-p", "line", "--max-message", "16")
            let long = try RunningProgram.shell("echo 0123456789abcdef | nc -N 127.0.0.1 \(server.plainPort)")
            try await server.program.line(containing: "client refused", "a line longer than 16 bytes")
            try await long.end()
            let short = try RunningProgram.shell("echo 0123456789abcde | nc -N 127.0.0.1 \(server.plainPort)")
            #expect(try await short.end() == .exited(0))
            #expect(short.lines.map(\.text) == ["0123456789ABCDE"])
        }
    }
}

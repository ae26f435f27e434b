import Foundation
import Testing

extension EndToEnd {
    /// HTTP between curl, Python's http.client and netcat on one side, and Python's http.server on the other.
    @Suite struct HTTP {
        @Test func `fifty clients share a gadget that takes one connection, and each gets its own bytes`() async throws
        {
            let gadget = try await IndependentDevice.start("http_gadget.py")
            let server = try await Server.start(port: gadget.port, "-p", "http", "--queue-timeout", "60")
            let clients = try RunningProgram.client("http_client.py", ["\(server.plainPort)", "--clients", "50"])
            #expect(try await clients.end(within: .seconds(120)) == .exited(0))
            #expect(clients.lines.map(\.text) == ["well", "verified 500"])
            server.expectNoTrouble()
        }

        @Test func `bodies of a megabyte pass in both directions, in chunks and without`() async throws {
            let gadget = try await IndependentDevice.start("http_gadget.py")
            let server = try await Server.start(port: gadget.port, "-p", "http", "--queue-timeout", "60")
            let clients = try RunningProgram.client(
                "http_client.py",
                ["\(server.plainPort)", "--clients", "6", "--rounds", "8", "--largest", "1500000"]
            )
            #expect(try await clients.end(within: .seconds(120)) == .exited(0))
            #expect(clients.lines.last?.text == "verified 48")
            server.expectNoTrouble()
        }

        @Test func `curl gets bodies, trailers, and responses without a body`() async throws {
            let (_, server) = try await gadgetAndServer()
            let whole = try await curl(
                server,
                "/bytes?n=1000000",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code} %{size_download}"
            )
            #expect(whole == ["200 1000000"])
            let untilClose = try await curl(
                server,
                "/until-close?n=5000",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code} %{size_download}"
            )
            #expect(untilClose == ["200 5000"])
            let chunked = try await curl(server, "/chunked?n=3", "--raw", "-i")
            #expect(chunked.contains { $0.lowercased() == "transfer-encoding: chunked" })
            #expect(chunked.contains { $0.hasPrefix("X-Digest: ") })
            // To a client that does not know chunks, the same with a length.
            let old = try await curl(server, "/chunked?n=3000", "--http1.0", "-D", "-", "-o", "/dev/null")
            #expect(old.contains { $0.lowercased() == "content-length: 3000" })
            #expect(!old.contains { $0.lowercased().hasPrefix("transfer-encoding") })
            let head = try await curl(server, "/bytes?n=77", "-I")
            #expect(head.first?.hasPrefix("HTTP/1.1 200") == true)
            #expect(head.contains { $0.lowercased() == "content-length: 77" })
            for (path, status) in [("/not-modified", "304"), ("/no-content", "204"), ("/nothing-here", "404")] {
                #expect(try await curl(server, path, "-o", "/dev/null", "-w", "%{http_code}") == [status])
            }
            #expect(try await curl(server, "/early") == ["late"])
            server.expectNoTrouble()
        }

        @Test func `what concerns one connection stays on it`() async throws {
            let (gadget, server) = try await gadgetAndServer("--linger", "1m")
            let hop = try await curl(
                server,
                "/echo",
                "-i",
                "-H",
                "Connection: close, X-Private",
                "-H",
                "X-Private: mine",
                "-H",
                "X-Public: ours",
                "-H",
                "TE: trailers"
            )
            #expect(hop.contains("X-Public: ours"))
            #expect(!hop.contains { $0.lowercased().hasPrefix("x-private") })
            #expect(hop.contains { $0.lowercased() == "connection: close" })
            let names = hop.first { $0.hasPrefix("X-Names: ") }?.lowercased() ?? ""
            #expect(names.contains("x-public") && !names.contains("connection") && !names.contains("te,"))
            // Two requests of one curl go over one connection.
            let both = try await curl(server, "/echo", "-v", "http://127.0.0.1:\(server.plainPort)/echo")
            #expect(both.contains { $0.contains("Re-using existing connection") })
            #expect(gadget.connections.taken == 1)
            // The gadget announces that it closes: its answer arrives, and the next request finds a new connection.
            let closing = try await curl(server, "/closing", "-i")
            #expect(closing.last == "bye")
            #expect(!closing.contains { $0.lowercased() == "connection: close" })
            #expect(try await curl(server, "/early") == ["late"])
            try await gadget.program.lines(2, containing: "connected")
            #expect(gadget.connections.taken == 2)
        }

        @Test func `pipelined requests are answered in their order`() async throws {
            let (_, server) = try await gadgetAndServer()
            let requests = (1...9).map {
                "GET /echo HTTP/1.1\\r\\nHost: gadget\\r\\nX-Number: \($0)\\r\\n\\r\\n"
            }
            let client = try RunningProgram.shell(
                "printf '\(requests.joined())' | nc -N 127.0.0.1 \(server.plainPort) | tr -d '\\r'"
            )
            #expect(try await client.end() == .exited(0))
            #expect(client.lines(containing: "X-Number: ") == (1...9).map { "X-Number: \($0)" })
        }

        @Test func `a chunked request keeps its trailers`() async throws {
            let (_, server) = try await gadgetAndServer()
            let request = #"POST /echo HTTP/1.1\r\nHost: gadget\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"#
            let body = #"3;extension=1\r\nabc\r\n2\r\nde\r\n0\r\nSum: 5\r\n\r\n"#
            let client = try RunningProgram.shell(
                "printf '\(request)\(body)' | nc -N 127.0.0.1 \(server.plainPort) | tr -d '\\r'"
            )
            #expect(try await client.end() == .exited(0))
            #expect(client.lines.first?.text == "HTTP/1.1 200 OK")
            #expect(client.lines.last?.text == "abcde")
            #expect(!client.lines(containing: "X-Framing: chunked").isEmpty)
            #expect(!client.lines(containing: "X-Trailer-Sum: 5").isEmpty)
        }

        @Test func `curl's expectation of 100 Continue is met here`() async throws {
            let (_, server) = try await gadgetAndServer("--max-message", "1M")
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("body-\(UUID()).bin")
            defer { try? FileManager.default.removeItem(at: file) }
            func send(_ count: Int) async throws -> [String] {
                try Data(repeating: 0x61, count: count).write(to: file)
                return try await curl(
                    server,
                    "/echo",
                    "-v",
                    "-H",
                    "Expect: 100-continue",
                    "--data-binary",
                    "@\(file.path)",
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code} %{size_upload} %{size_download}"
                )
            }
            let sent = try await send(1_048_576)
            #expect(sent.contains { $0.contains("HTTP/1.1 100 Continue") })
            #expect(sent.last == "200 1048576 1048576")
            // Too much is refused before it is sent.
            let refused = try await send(1_048_577)
            #expect(!refused.contains { $0.contains("HTTP/1.1 100 Continue") })
            #expect(refused.last?.hasPrefix("413 0 ") == true)
        }

        @Test func `a gadget's slovenly heads reach its clients as clean ones`() async throws {
            let (gadget, server) = try await gadgetAndServer("--linger", "1m")
            #expect(
                try await curl(server, "/line-feeds", "-i")
                    == ["HTTP/1.1 200 OK", "Server: gadget", "Content-Length: 5", "", "feed"]
            )
            #expect(
                try await curl(server, "/control", "-i")
                    == ["HTTP/1.1 200 OK", "Server: gad get", "Content-Length: 8", "", "control"]
            )
            #expect(gadget.connections.taken == 1)
            let both = try await curl(server, "/both", "-i")
            #expect(both.contains("Content-Length: 5") && both.last == "both")
            // A device that may not know where its message ends is not asked again on that connection.
            #expect(try await curl(server, "/early") == ["late"])
            try await gadget.program.lines(2, containing: "connected")
            #expect(gadget.connections.taken == 2)
            server.expectNoTrouble()
        }

        @Test func `a gadget that is away, silent, busy or beside itself costs a status, not the client`() async throws
        {
            let (gadget, server) = try await gadgetAndServer("--timeout", "1", "--retry-delay", "200ms")
            for (path, expected) in [("/slow?s=2", "504"), ("/lies", "502"), ("/chunkless", "502"), ("/gone", "502")] {
                #expect(try await status(server, path) == expected, "\(path)")
                try await served(server)
            }
            gadget.program.send(signal: SIGKILL)
            try await gadget.program.end()
            var away = ""
            for _ in 0..<20 where away != "502 text/plain" {
                away = try await curl(server, "/echo", "-o", "/dev/null", "-w", "%{http_code} %{content_type}").joined()
            }
            #expect(away.hasPrefix("502 text/plain"))
        }

        @Test func `a request whose turn does not come gets 503`() async throws {
            let (_, server) = try await gadgetAndServer("--timeout", "2", "--queue-timeout", "2")
            let slow = try RunningProgram.system("curl", "-s", "http://127.0.0.1:\(server.plainPort)/slow?s=1.9")
            try await Task.sleep(for: .milliseconds(100))
            let second = try RunningProgram.system("curl", "-s", "http://127.0.0.1:\(server.plainPort)/slow?s=1.9")
            try await Task.sleep(for: .milliseconds(100))
            let third = try await status(server, "/echo")
            #expect(third == "503")
            try await slow.end()
            try await second.end()
        }

        // Trap T19 and what request smuggling is made of: at least 40 messages, and a well-behaved client all the time.
        @Test func `malicious messages are refused and disturb nobody`() async throws {
            let gadget = try await IndependentDevice.start("http_gadget.py")
            let server = try await Server.start(port: gadget.port, "-p", "http", "--queue-timeout", "60")
            let bystanders = try RunningProgram.client(
                "http_client.py",
                ["\(server.plainPort)", "--clients", "3", "--endless", "--largest", "3000"],
                hasInput: true
            )
            try await bystanders.line(containing: "well")
            let attacker = try RunningProgram.client("malicious_http.py", ["\(server.plainPort)"])
            #expect(try await attacker.end(within: .seconds(120)) == .exited(0))
            #expect(attacker.lines(containing: "wrong").isEmpty)
            let tried = attacker.lines.last.flatMap { Int($0.text.dropFirst("tried ".count)) } ?? 0
            #expect(tried >= 40)
            #expect(attacker.lines.count == tried + 1)
            try bystanders.endInput()
            #expect(try await bystanders.end() == .exited(0))
            #expect(bystanders.lines(containing: "wrong").isEmpty)
            #expect(gadget.program.lines(containing: "evil").isEmpty)
            #expect(server.program.lines(containing: "client refused").count == tried)
            server.expectNoTrouble()
        }

        private func gadgetAndServer(_ options: String...) async throws -> (IndependentDevice, Server) {
            let gadget = try await IndependentDevice.start("http_gadget.py")
            return (gadget, try await Server.start(port: gadget.port, ["-p", "http"] + options))
        }

        /// Waits until the gadget answers.
        private func served(_ server: Server) async throws {
            for _ in 0..<50 {
                if try await status(server, "/echo") == "200" { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            Issue.record("the gadget is not served again")
        }

        private func status(_ server: Server, _ path: String) async throws -> String {
            try await curl(server, path, "-o", "/dev/null", "-w", "%{http_code}").joined()
        }

        /// The lines that curl prints.
        private func curl(_ server: Server, _ path: String, _ options: String...) async throws -> [String] {
            let tool = try RunningProgram(
                Tools.system("curl"),
                ["-sS", "--max-time", "30", "http://127.0.0.1:\(server.plainPort)\(path)"] + options
            )
            #expect(try await tool.end() == .exited(0), "\(tool.lines.map(\.text))")
            return tool.lines.map { $0.text.trimmingCharacters(in: ["\r"]) }
        }
    }
}

extension Server {
    /// Expects that the device was used as it wants to be.
    func expectNoTrouble() {
        for words in [
            "replacing the device's connection", "dropped a response", "connection ended; connecting again",
            "did not answer in time", "cannot be reached",
        ] {
            #expect(program.lines(containing: words).isEmpty)
        }
    }
}

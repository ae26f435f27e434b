import Testing

extension EndToEnd.FieldReports {
    /// Heads of gadgets that are not HTTP by the letter.
    @Suite struct LenientHeads {
        private static let request = Hex.text("GET /status HTTP/1.1\r\nHost: gadget\r\n\r\n")

        @Test(arguments: [
            "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5\n\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello",
        ])
        func `lines that end with LF alone are read, or called by that name`(response: String) async throws {
            let play = try await Self.play("* -> \(Hex.text(response))")
            for round in 1...2 {
                let answer = try await Self.answer(to: "client\(round)", on: play)
                if answer.hasPrefix("HTTP/1.1 502 ") {
                    try await play.server.program.line(containing: "ends lines with LF alone", within: Play.soon)
                } else {
                    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
                }
            }
        }

        @Test func `chunks win over a length beside them, and the link is closed behind it`() async throws {
            let response =
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            let play = try await Self.play("* -> \(Hex.text(response))")
            for round in 1...2 {
                let answer = try await Self.answer(to: "client\(round)", on: play)
                #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
                #expect(answer.lowercased().contains("content-length: 5\r\n"), "\(answer)")
            }
            // The next one may be open already.
            #expect(play.device.connections.taken >= 2)
        }

        @Test func `control bytes in a value never reach a client`() async throws {
            let response = "HTTP/1.1 200 OK\r\nX-Name: a\u{01}b\u{07}c\r\nContent-Length: 5\r\n\r\nhello"
            let play = try await Self.play("* -> \(Hex.text(response))")
            let answer = try await Self.answer(to: "client", on: play)
            #expect(!answer.contains("\u{01}") && !answer.contains("\u{07}"))
            if !answer.hasPrefix("HTTP/1.1 502 ") {
                #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
            } else {
                #expect(!play.server.program.lines(containing: "control").isEmpty)
            }
        }

        @Test func `clients stay strict`() async throws {
            let play = try await Self.play("* -> \(Hex.text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))")
            let request = Hex.text("GET /status HTTP/1.1\nHost: gadget\n\n")
            let answer = try await Self.answer(to: "client", asking: request, on: play)
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(play.asked.isEmpty)
        }

        private static func play(_ rule: String) async throws -> Play {
            try await Play.set(
                rule,
                wire: .any,
                clientOptions: ["raw"],
                options: ["-p", "http", "--retry-delay", "50ms"]
            )
        }

        /// Has a new client ask, and returns all of its answer as a text.
        private static func answer(
            to name: String,
            asking request: String = request,
            on play: Play
        ) async throws -> String {
            try await play.open(name)
            _ = try await play.answer(to: name, request)
            // A head and a body may come in two reads.
            for _ in 0..<100 {
                let text = Self.text(play.clients.received(name).joined())
                if isWhole(text) { return text }
                try await Task.sleep(for: .milliseconds(20))
            }
            return Self.text(play.clients.received(name).joined())
        }

        private static func isWhole(_ answer: String) -> Bool {
            guard let head = answer.firstRange(of: "\r\n\r\n"),
                let length = answer.lowercased().firstMatch(of: /content-length: ([0-9]+)/).flatMap({ Int($0.1) })
            else { return false }
            return answer[head.upperBound...].utf8.count >= length
        }

        private static func text(_ hex: String) -> String {
            let digits = Array(hex)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

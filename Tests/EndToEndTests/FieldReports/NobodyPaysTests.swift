import Foundation
import Testing

extension EndToEnd.FieldReports {
    /// What one client does, and what it costs the others.
    @Suite struct NobodyPays {
        @Test(arguments: [true, false])
        func `a read on which the device hangs up fails alone`(hasAnswered: Bool) async throws {
            let play = try await Play.set("0103ea60* -> close")
            try await play.open("bad", "good", "first")
            // Otherwise it hangs up before anything is known of it.
            if hasAnswered { _ = try await play.answer(to: "first", Hex.frame(1, Hex.read(1))) }
            for round in 1...8 {
                let failure = try await play.answer(to: "bad", Hex.frame(round, Hex.read(60_000)), within: Play.soon)
                #expect([Hex.frame(round, "830b"), Hex.frame(round, "830a")].contains(failure))
                let answer = try await play.answer(to: "good", Hex.frame(round, Hex.read(round)), within: Play.soon)
                #expect(answer == Hex.frame(round, Hex.content(round)))
            }
            // It is not sent each time, and never more than twice for one request.
            #expect(play.asked.filter { $0.hasPrefix("0103ea60") }.count <= 8)
        }

        @Test(arguments: [true, false])
        func `an HTTP request on which the device hangs up fails alone`(hasAnswered: Bool) async throws {
            let play = try await Play.set(
                "\(Hex.text("GET /gone"))* -> close",
                "* -> \(Hex.text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))",
                wire: .any,
                clientOptions: ["raw"],
                options: ["-p", "http"]
            )
            try await play.open("bad", "good", "first")
            if hasAnswered { _ = try await play.answer(to: "first", Self.get("/")) }
            for _ in 1...8 {
                let failure = try await play.answer(to: "bad", Self.get("/gone"), within: Play.soon)
                #expect(failure.hasPrefix(Hex.text("HTTP/1.1 502 ")))
                let answer = try await play.answer(to: "good", Self.get("/"), within: Play.soon)
                #expect(answer.hasPrefix(Hex.text("HTTP/1.1 200 ")))
            }
        }

        @Test func `a probe of the port does not open the device's connection`() async throws {
            let play = try await Play.set()
            for _ in 1...3 {
                let probe = try RunningProgram.client("raw.py", ["\(play.server.plainPort)", "--seconds", "0.2"])
                try await probe.end()
            }
            #expect(play.device.connections.taken == 0)
            try await play.open("client")
            #expect(play.device.connections.taken == 0)
            let answer = try await play.answer(to: "client", Hex.frame(1, Hex.read(1)))
            #expect(answer == Hex.frame(1, Hex.content(1)))
            #expect(play.device.connections.taken == 1)
        }

        @Test func `no kept answer overtakes what its client asked before`() async throws {
            let play = try await Play.set("01031* -> 5ms usual", options: ["--max-age", "1m"])
            try await play.open("client")
            let kept = Hex.read(7)
            _ = try await play.answer(to: "client", Hex.frame(1, kept))
            for round in 0..<10 {
                // Eight deep, and every second one is known already.
                let requests = (1...8).map { index in
                    (id: 8 * round + index + 1, address: index % 2 == 0 ? 7 : 0x1000 + 8 * round + index)
                }
                try play.send("client", requests.map { Hex.frame($0.id, Hex.read($0.address)) }.joined())
                let answers = try await play.clients.received("client", 1 + 8 * (round + 1)).suffix(8)
                #expect(Array(answers) == requests.map { Hex.frame($0.id, Hex.content($0.address)) })
            }
            #expect(play.asked.filter { $0 == "01" + kept }.count == 1)
        }

        @Test func `a write that is with the device when the drain's time ends was perhaps done`() async throws {
            let play = try await Play.set(
                "0106* -> 4000ms usual",
                options: ["-d", "--drain-timeout", "500ms", "--timeout", "20s"]
            )
            try await play.open("client")
            try play.send("client", Hex.frame(1, Hex.write(10, 77)), Hex.frame(2, Hex.write(11, 78)))
            try await play.asked(1)
            try await play.server.hasTaken(2)
            play.server.program.send(signal: SIGTERM)
            // The one that never left is another matter.
            let answers = try await play.clients.received("client", 2)
            #expect(answers.sorted() == [Hex.frame(1, "860b"), Hex.frame(2, "860a")])
            #expect(play.asked.count == 1)
        }

        private static func get(_ path: String) -> String {
            Hex.text("GET \(path) HTTP/1.1\r\nHost: gadget\r\n\r\n")
        }
    }
}

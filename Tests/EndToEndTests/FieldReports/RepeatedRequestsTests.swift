import Testing

extension EndToEnd.FieldReports {
    /// Clients that send the same request again while the first one waits, as pymodbus does.
    @Suite struct RepeatedRequests {
        @Test(arguments: [Hex.read(40_000, count: 69), Hex.write(10, 77), "41aabb"])
        func `the same request again is done once and answered once`(request: String) async throws {
            let play = try await Play.set("01\(request) -> 1200ms usual")
            try await play.open("client")
            for _ in 1...4 {
                try play.send("client", Hex.frame(1, request))
                try await Task.sleep(for: .milliseconds(200))
            }
            try await play.clients.received("client", 1)
            // One that is answered already is a new one; and what comes next is at its place.
            let next = try await play.answer(to: "client", Hex.frame(2, Hex.read(7)))
            #expect(next == Hex.frame(2, Hex.content(7)))
            #expect(play.clients.received("client").count == 2)
            #expect(play.asked == ["01" + request, "01" + Hex.read(7)])
        }

        @Test func `another request under the same id is another request`() async throws {
            let play = try await Play.set("01* -> 100ms usual", options: ["--no-coalesce"])
            try await play.open("one", "other")
            // Nor is the same of another client the same.
            try play.send("one", Hex.frame(1, Hex.write(10, 1)), Hex.frame(1, Hex.write(10, 2)))
            try play.send("other", Hex.frame(1, Hex.write(10, 1)))
            #expect(
                try await play.clients.received("one", 2) == [
                    Hex.frame(1, Hex.write(10, 1)), Hex.frame(1, Hex.write(10, 2)),
                ]
            )
            #expect(try await play.clients.received("other", 1) == [Hex.frame(1, Hex.write(10, 1))])
            #expect(play.asked.count == 3)
        }

        @Test func `the deadline is that of the last time it was sent`() async throws {
            let play = try await Play.set(
                "01030000* -> 2500ms usual",
                "01030001* -> 1500ms usual",
                options: ["--timeout", "3s", "--queue-timeout", "3s"]
            )
            try await play.open("occupant", "client")
            try play.send("occupant", Hex.frame(1, Hex.read(0)))
            try await play.asked(1)
            // The device is busy for 2.5 s, and then with this one until the time of the first sending is over.
            try play.send("client", Hex.frame(1, Hex.read(1)))
            try await Task.sleep(for: .seconds(2))
            try play.send("client", Hex.frame(1, Hex.read(1)))
            #expect(try await play.clients.received("client", 1) == [Hex.frame(1, Hex.content(1))])
        }
    }
}

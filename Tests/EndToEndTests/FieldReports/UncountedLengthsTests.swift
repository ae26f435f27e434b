import Testing

extension EndToEnd.FieldReports {
    /// Lengths in front that do not count everything.
    @Suite struct UncountedLengths {
        /// How long the messages are, how they are described, and one of them.
        struct Format: CustomTestStringConvertible {
            var testDescription: String
            var options: [String]
            var header: String
            var rest: Int
        }

        @Test(arguments: [
            Format(
                testDescription: "two reserved bytes behind the length",
                options: ["--length-adds", "2"],
                header: "001a 0000",
                rest: 26
            ),
            Format(
                testDescription: "a logger stick: one byte before the length, which lacks 13",
                options: ["--header-bytes", "1", "--length-order", "little", "--length-adds", "10"],
                header: "a5 1700 1045 0000",
                rest: 29
            ),
        ])
        func `messages are cut where they end`(format: Format) async throws {
            let play = try await Play.set(
                wire: .any,
                clientOptions: ["raw"],
                options: ["-p", "length-prefixed"] + format.options
            )
            try await play.open("client")
            let messages = (1...3).map {
                Hex.plain(format.header) + String(repeating: Hex.byte($0), count: format.rest)
            }
            try play.send("client", messages.joined())
            try await play.asked(3)
            #expect(play.asked == messages)
            for _ in 0..<100 where play.clients.received("client").joined() != messages.joined() {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(play.clients.received("client").joined() == messages.joined())
        }
    }
}

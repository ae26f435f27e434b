import Testing

extension EndToEnd.FieldReports {
    /// Devices that do not repeat transaction ids, and answers that belong to others.
    @Suite struct StrangeIDs {
        /// An instrument's ten registers.
        private static let values = "03e8 03e9 03ea 03eb 03ec 03ed 03ee 03ef 03f0 03f1"
        private static let request = "0208 0000 0006 a0 03 000e 000a"
        private static let answer = Hex.plain("0208 0000 0017 a0 03 14" + values)
        private static let withoutID = "a003000e000a -> 0000 0000 0017 a003 14 \(values)"

        @Test func `a device that answers with id 0 is readable without ids`() async throws {
            let play = try await Play.set(Self.withoutID, options: ["--transaction-ids", "ignored"])
            try await play.open("client")
            for _ in 1...3 { #expect(try await play.answer(to: "client", Self.request) == Self.answer) }
            #expect(play.device.connections.taken == 1)
        }

        @Test func `a device whose exceptions alone have id 0 is readable without ids`() async throws {
            let play = try await Play.set(
                "a003000e000a -> 0000 0000 0003 a083 02",
                options: ["--transaction-ids", "ignored"]
            )
            try await play.open("client")
            #expect(try await play.answer(to: "client", Self.request) == Hex.frame(0x208, unit: 0xA0, "8302"))
            let usual = try await play.answer(to: "client", Hex.frame(1, Hex.read(7)))
            #expect(usual == Hex.frame(1, Hex.content(7)))
        }

        @Test func `a device that swaps the bytes of ids is readable without ids`() async throws {
            let play = try await Play.set(
                "010300000002 -> swapped 0000 0007 0103 04 00000000",
                options: ["--transaction-ids", "ignored"]
            )
            try await play.open("client")
            let answer = Hex.frame(1, Hex.registers(0, 0))
            for _ in 1...3 { #expect(try await play.answer(to: "client", "0001 0000 0006 0103 0000 0002") == answer) }
        }

        /// What a device makes of ids, and the word for it.
        struct Pattern: CustomTestStringConvertible {
            var script: [String]
            var words: String
            var testDescription: String { words }
        }

        @Test(arguments: [
            Pattern(script: [withoutID], words: "id 0"),
            // Ids whose bytes are equal come back as they were: that must not hide the others.
            Pattern(
                script: ["2x *-> swapped 0000 0003 a083 02", "1x * -> usual", "* -> swapped 0000 0003 a083 02"],
                words: "swapped"
            ),
            Pattern(script: ["* -> id+1 0000 0003 a083 02"], words: "one"),
        ])
        func `the log names the pattern and the setting, and blames nobody else`(pattern: Pattern) async throws {
            let play = try await Play.set(
                script: pattern.script,
                options: ["--timeout", "300ms", "--retry-delay", "50ms"]
            )
            try await play.open("client")
            for _ in 1...6 {
                let answer = try await play.answer(to: "client", Self.request)
                #expect(["0a", "0b"].contains(answer.suffix(2)) || answer.hasPrefix(Self.answer.prefix(4)))
                try await Task.sleep(for: .milliseconds(100))
            }
            try await play.server.program.line(containing: "--transaction-ids", pattern.words, within: Play.soon)
            #expect(play.server.program.lines(containing: "another program").isEmpty)
        }

        @Test func `an id that is one too high after each connect makes no loop of connects`() async throws {
            let play = try await Play.set(
                "1c * -> id+1 0000 0005 0103 02 0007",
                options: ["--timeout", "500ms", "--retry-delay", "50ms"]
            )
            try await play.open("client")
            _ = try await play.answer(to: "client", Hex.frame(1, Hex.read(10)))
            for id in 2...6 {
                let answer = try await play.answer(to: "client", Hex.frame(id, Hex.read(10)))
                #expect(answer == Hex.frame(id, Hex.content(10)))
            }
            #expect(play.device.connections.taken == 1)
        }

        @Test func `without ids nothing is lost by an id that is one too high after each connect`() async throws {
            let play = try await Play.set(
                "1c 01030007* -> id+1 0000 0005 0103 02 0007",
                options: ["--transaction-ids", "ignored"]
            )
            try await play.open("client")
            #expect(try await play.answer(to: "client", Hex.frame(1, Hex.read(7))) == Hex.frame(1, Hex.registers(7)))
            #expect(try await play.answer(to: "client", Hex.frame(2, Hex.read(8))) == Hex.frame(2, Hex.content(8)))
        }

        @Test func `somebody else's answer, with the id that most programs begin with, is a stray`() async throws {
            let others = String(repeating: "dead", count: 14)
            let play = try await Play.set("1x * -> 0001 0000 001f 0103 1c \(others) / usual")
            try await play.open("client")
            let answer = try await play.answer(to: "client", Hex.frame(1, Hex.read(10, count: 2)))
            #expect(answer == Hex.frame(1, Hex.content(10, count: 2)))
            #expect(play.device.connections.taken == 1)
        }

        @Test func `a late answer and the right one in one segment are told apart`() async throws {
            let late = String(repeating: "dead", count: 8)
            let play = try await Play.set(
                "1x 320300100008 ->",
                "1x 320300200004 -> before 0000 0013 3203 10 \(late) id 0000 000b 3203 08 0001 0002 0003 0004",
                options: ["--timeout", "700ms"]
            )
            try await play.open("client")
            let silence = try await play.answer(to: "client", Hex.frame(15, unit: 50, Hex.read(16, count: 8)))
            #expect(silence == Hex.frame(15, unit: 50, "830b"))
            let answer = try await play.answer(to: "client", Hex.frame(16, unit: 50, Hex.read(32, count: 4)))
            #expect(answer == Hex.frame(16, unit: 50, Hex.registers(1, 2, 3, 4)))
            #expect(play.device.connections.taken == 1)
        }

        @Test func `ids towards the device cannot be guessed`() async throws {
            let play = try await Play.set("* -> id 0000 0005 0103 02 id")
            try await play.open("client")
            var ids: [Int] = []
            for id in 1...12 {
                // The device says which id it was asked under.
                let answer = try await play.answer(to: "client", Hex.frame(id, Hex.read(id)))
                ids.append(try #require(Int(answer.suffix(4), radix: 16)))
            }
            let steps = zip(ids, ids.dropFirst()).map { ($1 - $0) & 0xFFFF }
            #expect(Set(ids).count == 12)
            // Twelve draws of 65,536 have two equal steps now and then, and half of them once in a universe.
            #expect(Set(steps).count > 6, "\(ids)")
        }
    }
}

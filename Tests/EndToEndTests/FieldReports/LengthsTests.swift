import Testing

extension EndToEnd.FieldReports {
    /// Answers whose length field, byte count and content do not agree.
    @Suite struct Lengths {
        @Test func `an answer whose header announces too much fails promptly, and the log counts`() async throws {
            let play = try await Play.set("010300000001 -> id 0000 0006 0103 02 3902")
            try await play.open("client", "other")
            let answer = try await play.answer(to: "client", Hex.frame(1, Hex.read(0)), within: Play.soon)
            #expect(answer == Hex.frame(1, "830b"))
            try await play.server.program.line(containing: "announces 6", "5", within: Play.soon)
            let next = try await play.answer(to: "other", Hex.frame(1, Hex.read(7)), within: Play.soon)
            #expect(next == Hex.frame(1, Hex.content(7)))
        }

        @Test func `an answer that announces 64 bytes too many swallows nobody's`() async throws {
            let play = try await Play.set(
                "010300000002 -> id 0000 0047 0103 04 aaaa bbbb",
                options: ["--max-in-flight", "5"]
            )
            try await play.open("c1", "c2", "c3", "c4", "damaged")
            for round in 0..<3 {
                try play.send("damaged", Hex.frame(round, Hex.read(0, count: 2)))
                for client in 1...4 {
                    try play.send("c\(client)", Hex.frame(round, Hex.read(100 * client + round, count: 4)))
                }
                for client in 1...4 {
                    let answer = try await play.clients.received("c\(client)", round + 1, within: Play.soon).last
                    #expect(answer == Hex.frame(round, Hex.content(100 * client + round, count: 4)))
                }
                let damaged = try await play.clients.received("damaged", round + 1, within: Play.soon).last
                #expect(damaged == Hex.frame(round, "830b"))
            }
        }

        @Test func `an answer whose header announces too little fails, and its rest is nobody's`() async throws {
            let play = try await Play.set("310400000002 -> id 0000 0006 3104 04 00000000")
            try await play.open("client", "other")
            let answer = try await play.answer(
                to: "client",
                Hex.frame(1, unit: 0x31, Hex.readInput(0, count: 2)),
                within: Play.soon
            )
            #expect(answer == Hex.frame(1, unit: 0x31, "840b"))
            let next = try await play.answer(to: "other", Hex.frame(1, Hex.read(7)), within: Play.soon)
            #expect(next == Hex.frame(1, Hex.content(7)))
        }

        @Test func `a surplus byte in a well-framed answer is delivered as it came`() async throws {
            let play = try await Play.set("01039f660002 -> id 0000 0008 0103 04 4d898610 5f")
            try await play.open("client")
            for _ in 1...3 {
                let answer = try await play.answer(to: "client", "0039 0000 0006 0103 9f66 0002")
                #expect(answer == Hex.plain("0039 0000 0008 0103 04 4d898610 5f"))
            }
            #expect(play.device.connections.taken == 1)
        }

        @Test func `an answer cut short is no answer`() async throws {
            let play = try await Play.set("010300000004 -> id 0000 0007 0103 04 aaaa bbbb")
            try await play.open("client")
            let answer = try await play.answer(to: "client", Hex.frame(1, Hex.read(0, count: 4)), within: Play.soon)
            #expect(answer == Hex.frame(1, "830b"))
            #expect(play.device.connections.taken == 1)
        }

        /// A request, and the answer of a meter whose registers are wider than 16 bits.
        struct Wide: CustomTestStringConvertible {
            var request: String
            var answer: String
            var testDescription: String { request }
        }

        static let wide = [
            Wide(request: "01 04 0010 0001", answer: "01 04 04 0001 86a0"),
            // A clock.
            Wide(request: "01 03 0020 0001", answer: "01 03 0c 07e9 0001 0002 0003 0004 0005"),
            Wide(request: "01 04 0028 0002", answer: "01 04 08 0006 59cf 0000 0001"),
        ]

        @Test(arguments: wide)
        func `registers wider than 16 bits are delivered and never kept`(wide: Wide) async throws {
            let (request, answer) = (Hex.plain(wide.request), Hex.plain(wide.answer))
            let length = Hex.word(answer.count / 2)
            let play = try await Play.set("\(request) -> id 0000 \(length) \(answer)", options: ["--max-age", "1m"])
            try await play.open("client")
            for id in 1...3 {
                let got = try await play.answer(to: "client", Hex.word(id) + "0000 0006" + request)
                #expect(got == Hex.word(id) + "0000" + length + answer)
            }
            #expect(play.asked == [request, request, request])
            #expect(play.device.connections.taken == 1)
        }

        @Test(arguments: wide)
        func `so they are on a serial wire`(wide: Wide) async throws {
            let (request, answer) = (Hex.plain(wide.request), Hex.plain(wide.answer))
            let play = try await Play.set(
                "\(request) -> \(Hex.sealed(answer))",
                wire: .serial,
                clientOptions: ["rtu"],
                options: ["-p", "modbus-serial", "--max-age", "1m"]
            )
            try await play.open("client")
            for _ in 1...3 { #expect(try await play.answer(to: "client", request) == answer) }
            #expect(play.asked == [request, request, request])
            #expect(play.device.connections.taken == 1)
        }
    }
}

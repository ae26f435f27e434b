import Testing

extension EndToEnd.FieldReports {
    /// Requests that are not whole, or hold another one, for a device that parses by function code.
    @Suite struct WholeRequests {
        /// Reads registers 0 to 9, and hides something behind it that the header counts in.
        private static let crafted = [
            // The same read again.
            "0001 0000 0012 0103 0000 000a" + "0002 0000 0006 0103 0000 000a",
            // A write of five registers.
            "0001 0000 001d 0103 0000 000a" + "0002 0000 0011 0110 0000 0005 0a 0001 0002 0003 0004 0005",
        ]

        @Test(arguments: crafted)
        func `a request that hides another one is not sent, and a neighbour gets its own`(
            crafted: String
        ) async throws {
            let play = try await Play.set(wire: .byFunction)
            try await play.open("attacker", "neighbour")
            for round in 1...5 {
                let refusal = try await play.answer(to: "attacker", crafted)
                #expect(refusal == Hex.frame(1, "8303"))
                let request = Hex.frame(round, Hex.read(100, count: 10))
                let answer = try await play.answer(to: "neighbour", request)
                #expect(answer == Hex.frame(round, Hex.content(100, count: 10)))
            }
            #expect(play.asked == Array(repeating: "01" + Hex.read(100, count: 10), count: 5))
            #expect(!play.server.program.lines(containing: "client=").isEmpty, "the log says who it was")
        }

        @Test func `a byte count that the quantity denies is not sent`() async throws {
            let play = try await Play.set(wire: .byFunction)
            try await play.open("client")
            let answer = try await play.answer(to: "client", "0001 0000 000b 0110 0000 0001 02 1234 aabb")
            #expect(answer == Hex.frame(1, "9003"))
            #expect(try await play.served())
            #expect(play.asked.count == 1)
        }

        @Test func `a bare function code is not sent, and delays nobody`() async throws {
            let play = try await Play.set(wire: .byFunction)
            try await play.open("client")
            #expect(try await play.answer(to: "client", "0002 0000 0002 0103") == Hex.frame(2, "8303"))
            #expect(try await play.served())
            #expect(play.asked.count == 1)
        }

        /// A whole request of each function that has a fixed place for everything.
        static let whole = [
            "01 0000 0008", "02 0000 0008", "03 0000 0002", "04 0000 0002", "05 0000 ff00", "06 0000 0001",
            "0f 0000 0008 01 ff", "10 0000 0001 02 0001", "16 0000 ffff 0000", "17 0000 0001 0000 0001 02 0001",
            "18 0000",
        ]
        /// The same of functions that are rare.
        static let rare = [
            "07", "0b", "0c", "11", "14 07 06 0001 0000 0001", "15 09 06 0001 0000 0001 1234", "2b 0e 01 00",
        ]

        @Test(arguments: [Play.Wire.modbus, .byFunction, .serial])
        func `a byte too many or too few is refused for every function`(wire: Play.Wire) async throws {
            let play = try await Play.set(wire: wire)
            try await play.open("client")
            for (index, request) in (Self.whole + Self.rare).map(Hex.plain).enumerated() {
                let function = try #require(Int(request.prefix(2), radix: 16))
                let refusal = Hex.exception(3, to: function)
                let longer = try await play.answer(to: "client", Hex.frame(index, request + "00"))
                #expect(longer == Hex.frame(index, refusal), "\(request)")
                guard request.count > 2 else { continue }
                let shorter = try await play.answer(to: "client", Hex.frame(index, String(request.dropLast(2))))
                #expect(shorter == Hex.frame(index, refusal), "\(request)")
            }
            #expect(play.asked.isEmpty)
        }

        @Test func `what is whole goes to the device as it is`() async throws {
            // The device knows the header, and answers what it does not know with exception 1.
            let play = try await Play.set()
            try await play.open("client")
            for (index, request) in (Self.whole + Self.rare).map(Hex.plain).enumerated() {
                let answer = try await play.answer(to: "client", Hex.frame(index, request))
                #expect(answer.hasPrefix(Hex.word(index) + "0000"), "\(request)")
            }
            #expect(play.asked == (Self.whole + Self.rare).map { "01" + Hex.plain($0) })
        }

        @Test(arguments: [
            "03 0000 0000", "03 0000 007e", "04 0000 ffff", "01 0000 07d1", "03 ffff 0002",
            "0f 0000 0009 01 ff", "10 0000 0000 00", "17 0000 007e 0000 0001 02 0001",
        ])
        func `quantities and ranges that the specification forbids are refused`(request: String) async throws {
            let play = try await Play.set()
            try await play.open("client")
            let request = Hex.plain(request)
            let function = try #require(Int(request.prefix(2), radix: 16))
            let answer = try await play.answer(to: "client", Hex.frame(9, request))
            #expect(answer == Hex.frame(9, Hex.exception(3, to: function)))
            #expect(play.asked.isEmpty)
        }

        @Test(arguments: [0x00, 0x80, 0x83, 0x90, 0xFF])
        func `a function that cannot be is answered here`(function: Int) async throws {
            let play = try await Play.set("* -> id 0000 0003 0103 01")
            try await play.open("client")
            let answer = try await play.answer(to: "client", Hex.frame(3, Hex.byte(function) + "00000001"))
            #expect(answer == Hex.frame(3, Hex.exception(1, to: function)))
            #expect(play.asked.isEmpty)
        }

        @Test func `what a vendor's function hides is done, and its answer is nobody's`() async throws {
            let play = try await Play.set(wire: .byFunction, options: ["--max-in-flight", "8"])
            try await play.open("attacker", "c1", "c2", "c3")
            // To this device it is function 0x41 alone, and then a read under an id that the attacker has guessed.
            for round in 1...20 {
                let hidden = Hex.plain("\(Hex.word(round)) 0000 0006 0103 0000 000a")
                try play.send("attacker", Hex.frame(round, "41" + hidden))
                for client in 1...3 {
                    try play.send("c\(client)", Hex.frame(round, Hex.read(1000 * client + round, count: 10)))
                }
                #expect(try await play.clients.received("attacker", round).last == Hex.frame(round, "c101"))
                for client in 1...3 {
                    let answer = try await play.clients.received("c\(client)", round).last
                    #expect(answer == Hex.frame(round, Hex.content(1000 * client + round, count: 10)))
                }
            }
            // A login that belongs to the connection would be lost with it.
            #expect(play.device.connections.taken == 1)
        }
    }
}

extension Play {
    /// Whether a neighbour is served, and soon.
    func served() async throws -> Bool {
        try await open("neighbour")
        let answer = try await answer(to: "neighbour", Hex.frame(1, Hex.read(100, count: 10)), within: Self.soon)
        return answer == Hex.frame(1, Hex.content(100, count: 10))
    }
}

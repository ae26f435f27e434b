import Testing

extension EndToEnd {
    /// Whose request the device gets next.
    @Suite struct Turns {
        /// What a crowd of requests of one client is, and the single one of another.
        struct Rivals: CustomTestStringConvertible {
            var options: [String]
            var crowd: @Sendable (Int) -> String
            var single: @Sendable (Int) -> String
            var testDescription: String

            init(
                _ testDescription: String,
                _ options: String...,
                crowd: @escaping @Sendable (Int) -> String,
                single: @escaping @Sendable (Int) -> String
            ) {
                self.testDescription = testDescription
                self.options = options
                self.crowd = crowd
                self.single = single
            }
        }

        @Test(arguments: [
            Rivals("a read beside reads", crowd: { Hex.read($0) }, single: { Hex.readInput($0) }),
            Rivals("a write beside reads", crowd: { Hex.read($0) }, single: { Hex.writeMultiple($0, 1) }),
            Rivals(
                "a read beside writes that have priority",
                "--write-priority",
                crowd: { Hex.write($0, 1) },
                single: { Hex.readInput($0) }
            ),
            Rivals(
                "a write beside writes that have priority",
                "--write-priority",
                crowd: { Hex.write($0, 1) },
                single: { Hex.writeMultiple($0, 1) }
            ),
            Rivals("a read beside reads of any age", "--max-age", "1m", crowd: { Hex.read($0) }) { Hex.readInput($0) },
        ])
        func `a client with 64 requests outstanding delays one with a single one by two at most`(
            rivals: Rivals
        ) async throws {
            let stage = try await Stage.set(rivals.options)
            try await stage.open("crowd", "single")
            var sent = 0
            func fill(_ count: Int) throws {
                try stage.clients.send("crowd", (sent..<sent + count).map { Hex.frame($0, rivals.crowd($0)) })
                sent += count
            }
            try fill(1)
            try await stage.device.asked(1)
            try fill(63)
            // One with the device, 32 waiting, the others unread.
            try await stage.server.hasTaken(33)
            var worst = 0
            for round in 1...12 {
                // The device has one of the crowd's, and is not told to answer.
                var count = stage.device.asked.count
                var delay = 0
                let message = rivals.single(1_000 + round)
                try stage.clients.send("single", Hex.frame(round, message))
                try await stage.server.hasTaken(round, rivals.description(of: message))
                while stage.device.asked.last != "unit=1 \(message)" {
                    delay += 1
                    try #require(delay <= 64, "the single client is not served")
                    try stage.device.answer(1)
                    count += 1
                    try await stage.device.asked(count)
                }
                worst = max(worst, delay)
                try stage.device.answer(1)
                try await stage.clients.received("single", round)
                try await stage.device.asked(count + 1)
                try fill(delay + 1)
            }
            print("\(rivals.testDescription): delayed by \(worst) of 64 at most")
            #expect(worst <= 2)
            #expect(worst >= 1, "the device was busy all the time")
        }

        @Test(arguments: [false, true])
        func `writes go before other clients' waiting reads if asked to, and never before the same client's`(
            isPrior: Bool
        ) async throws {
            let stage = try await Stage.set(isPrior ? ["--write-priority"] : [])
            try await stage.open("both", "reader", "poller", "writer")
            try await stage.occupyDevice()
            let requests = [
                ("both", [Hex.read(1), Hex.write(1, 5)]), ("reader", [Hex.read(2)]), ("poller", [Hex.read(3)]),
                ("writer", [Hex.write(4, 5)]),
            ]
            var count = 1
            for (name, messages) in requests {
                try stage.clients.send(name, messages.map { Hex.frame(1, $0) })
                count += messages.count
                try await stage.server.hasTaken(count)
            }
            try stage.device.answerAll()
            // Nobody has two turns in a row while others wait, not even for a write.
            let order =
                isPrior
                ? [Hex.write(4, 5), Hex.read(1), Hex.read(2), Hex.write(1, 5), Hex.read(3)]
                : [Hex.read(1), Hex.read(2), Hex.read(3), Hex.write(4, 5), Hex.write(1, 5)]
            #expect(try await stage.askedBeside(5) == order.map { "unit=1 \($0)" })
            #expect(
                try await stage.clients.received("both", 2)
                    == [Hex.registers(0), Hex.write(1, 5)].map { Hex.frame(1, $0) }
            )
        }

        @Test func `while writes and reads wait, they take turns`() async throws {
            let stage = try await Stage.set("--write-priority")
            try await stage.open("writer", "rewriter", "reader")
            try await stage.occupyDevice()
            try stage.clients.send("reader", (1...4).map { Hex.frame($0, Hex.read($0)) })
            try await stage.server.hasTaken(5)
            try stage.clients.send("writer", (1...3).map { Hex.frame($0, Hex.write(10, $0)) })
            try await stage.server.hasTaken(8)
            try stage.clients.send("rewriter", (1...3).map { Hex.frame($0, Hex.write(20, $0)) })
            try await stage.server.hasTaken(11)
            try stage.device.answerAll()
            let order = [
                Hex.write(10, 1), Hex.read(1), Hex.write(20, 1), Hex.read(2), Hex.write(10, 2), Hex.read(3),
                Hex.write(20, 2), Hex.read(4), Hex.write(10, 3), Hex.write(20, 3),
            ]
            #expect(try await stage.askedBeside(10) == order.map { "unit=1 \($0)" })
        }
    }
}

extension EndToEnd.Turns.Rivals {
    /// How the server's log describes a message.
    func description(of message: String) -> String {
        switch message.prefix(2) {
        case "04": "read input registers"
        case "10": "write multiple registers"
        default: message
        }
    }
}

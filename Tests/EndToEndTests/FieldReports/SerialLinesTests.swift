import Testing

extension EndToEnd.FieldReports {
    /// RTU over TCP: noise around answers, other units' late frames, damage.
    @Suite struct SerialLines {
        /// What a device sends in answer to a read of one register, and what that register holds.
        struct Noise: CustomTestStringConvertible {
            var testDescription: String
            var bytes: String
            var value: Int
        }

        @Test(arguments: [
            Noise(testDescription: "three zeros behind, of a boiler", bytes: "010302 00d7 f81a 000000", value: 0x00D7),
            Noise(testDescription: "the same some ms later", bytes: "010302 00d7 f81a 20ms 000000", value: 0x00D7),
            Noise(testDescription: "FF in front, of a bus without bias", bytes: "ff 010302 6d60 94fc", value: 0x6D60),
            Noise(testDescription: "00 in front", bytes: "00 010302 6d60 94fc", value: 0x6D60),
            Noise(testDescription: "00 in front, by itself", bytes: "00 20ms 010302 6d60 94fc", value: 0x6D60),
            Noise(testDescription: "four bytes in front", bytes: "00ff00ff 010302 6d60 94fc", value: 0x6D60),
        ])
        func `noise around an answer is dropped, and the link stays`(noise: Noise) async throws {
            let play = try await Play.set("010301000001 -> \(noise.bytes)", wire: .serial)
            try await play.open("client", "other")
            for id in 1...4 {
                let answer = try await play.answer(to: "client", Hex.frame(id, Hex.read(0x100)))
                #expect(answer == Hex.frame(id, Hex.registers(noise.value)))
                let next = try await play.answer(to: "other", Hex.frame(id, Hex.read(id)))
                #expect(next == Hex.frame(id, Hex.content(id)))
            }
            #expect(play.device.connections.taken == 1)
            #expect(play.asked.count == 8)
        }

        @Test func `another unit's late frame is dropped, and the wait goes on`() async throws {
            let play = try await Play.set(
                "020400000001 ->",
                "010400040001 -> 020402 1388 f066 30ms 010402 002a 38ef",
                wire: .serial,
                options: ["--timeout", "500ms"]
            )
            try await play.open("client")
            let first = try await play.answer(to: "client", Hex.frame(1, Hex.read(1)))
            #expect(first == Hex.frame(1, Hex.content(1)))
            let silence = try await play.answer(to: "client", Hex.frame(2, unit: 2, Hex.readInput(0)))
            #expect(silence == Hex.frame(2, unit: 2, "840b"))
            for id in 3...5 {
                let answer = try await play.answer(to: "client", Hex.frame(id, Hex.readInput(4)))
                #expect(answer == Hex.frame(id, "0402002a"))
            }
            // The silence may have cost one; the other unit's frame does not.
            #expect(play.device.connections.taken <= 2)
        }

        /// An answer that cannot be right, and what the log has to say of it.
        struct Damage: CustomTestStringConvertible {
            var request: String
            var bytes: String
            var words: String
            var testDescription: String { words }
        }

        @Test(arguments: [
            // A home battery.
            Damage(request: "0103 7d68 0002", bytes: "010304 000b 0200 918a", words: "wrong order"),
            Damage(request: "0103 0010 0001", bytes: "0103 0002 1781 2b9a", words: "two bytes"),
        ])
        func `damage is called by its name, and makes no loop of connects`(damage: Damage) async throws {
            let request = Hex.plain(damage.request)
            let play = try await Play.set("\(request) -> \(damage.bytes)", wire: .serial)
            try await play.open("client", "other")
            for id in 1...3 {
                let frame = Hex.word(id) + "00000006" + request
                let answer = try await play.answer(to: "client", frame, within: Play.soon)
                #expect(answer == Hex.frame(id, "830b"))
                let next = try await play.answer(to: "other", Hex.frame(id, Hex.read(id)), within: Play.soon)
                #expect(next == Hex.frame(id, Hex.content(id)))
            }
            try await play.server.program.line(containing: damage.words, within: Play.soon)
            #expect(play.device.connections.taken == 1)
        }

        @Test func `a second whole frame that could be the answer costs nobody else a wrong one`() async throws {
            let one = Hex.sealed("01" + Hex.registers(1))
            let play = try await Play.set(
                "1x 010300050001 -> \(one) \(Hex.sealed("01" + Hex.registers(2)))",
                wire: .serial
            )
            try await play.open("client", "other")
            _ = try await play.answer(to: "other", Hex.frame(0, Hex.read(10)))
            let answer = try await play.answer(to: "client", Hex.frame(1, Hex.read(5)))
            #expect(answer == Hex.frame(1, "830b") || answer == Hex.frame(1, Hex.registers(1)))
            for id in 1...3 {
                let next = try await play.answer(to: "other", Hex.frame(id, Hex.read(10 + id)))
                #expect(next == Hex.frame(id, Hex.content(10 + id)))
            }
        }

        /// A transparent adapter: what the line brings late comes over whatever connection there is.
        @Test func `a late answer of the line is not given to whoever asks next`() async throws {
            async let usual: Void = Self.answersAreTheirOwn()
            async let longer: Void = Self.answersAreTheirOwn("--quiet-time", "1500ms")
            _ = try await (usual, longer)
        }

        private static func answersAreTheirOwn(_ options: String...) async throws {
            let adapter = try await IndependentDevice.start("adapter.py", "--slow", "010300000001=900ms")
            let server = try await Server.start(
                port: adapter.port,
                ["-p", "modbus", "--target-protocol", "modbus-serial", "--timeout", "500ms"] + options
            )
            let clients = try DictatedClients.start()
            try await clients.open(["a", "b"], at: server.plainPort)
            try clients.send("b", Hex.frame(1, Hex.read(7)))
            #expect(try await clients.received("b", 1) == [Hex.frame(1, Hex.content(7))])
            for round in 1...2 {
                try clients.send("a", Hex.frame(round, Hex.read(0)))
                #expect(try await clients.received("a", round).last == Hex.frame(round, "830b"))
                try clients.send("b", Hex.frame(1 + round, Hex.read(10)))
                #expect(try await clients.received("b", 1 + round).last == Hex.frame(1 + round, Hex.content(10)))
            }
        }
    }
}

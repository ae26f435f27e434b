import Testing

extension EndToEnd.FieldReports {
    /// Answers with the right id, and of another unit or with shredded content.
    @Suite struct ForeignContent {
        private static let request = "0005 0000 0006 03 01 0000 0008"
        private static let ofUnit1 = "030100000008 -> id 0000 0004 01 01 01 55"

        @Test func `an answer of another unit fails at once, and the log has the remedy`() async throws {
            let play = try await Play.set(Self.ofUnit1)
            try await play.open("client")
            for _ in 1...4 {
                let answer = try await play.answer(to: "client", Self.request, within: Play.soon)
                #expect(answer == Hex.frame(5, unit: 3, "810b"))
            }
            try await play.server.program.line(containing: "--unit-ids", "unit 1", within: Play.soon)
            #expect(play.device.connections.taken == 1)
        }

        @Test func `with units ignored it is delivered as the unit that was asked`() async throws {
            let play = try await Play.set(Self.ofUnit1, options: ["--unit-ids", "ignored"])
            try await play.open("client")
            let answer = try await play.answer(to: "client", Self.request)
            #expect(answer == Hex.plain("0005 0000 0004 03 01 01 55"))
        }

        /// A logger stick did this several times an hour.
        @Test(arguments: ["0004 c0 60 6000", "0008 c0 30 300000000000", "0004 1b 02 ffe2"])
        func `a shredded answer costs its own request at most`(shreds: String) async throws {
            let play = try await Play.set("1x 010300000002 -> id 0000 \(shreds)")
            try await play.open("client", "other")
            let answer = try await play.answer(to: "client", "2953 0000 0006 0103 0000 0002", within: Play.soon)
            // It may have been read again.
            #expect([Hex.frame(0x2953, "830b"), Hex.frame(0x2953, Hex.content(0, count: 2))].contains(answer))
            let next = try await play.answer(to: "other", Hex.frame(1, Hex.read(5)), within: Play.soon)
            #expect(next == Hex.frame(1, Hex.content(5)))
            #expect(play.device.connections.taken == 1)
        }

        /// Echoes that do not repeat what was written.
        @Test(arguments: [
            ("06 0001 0002", "06 0001 0003"), ("05 0001 ff00", "05 0001 0000"),
            ("10 0001 0001 02 0002", "10 0001 0002"), ("16 0001 ffff 0000", "16 0001 ffff 0001"),
        ])
        func `an echo that repeats something else is no success`(request: String, echo: String) async throws {
            let (request, echo) = (Hex.plain(request), Hex.plain(echo))
            let play = try await Play.set("01\(request) -> id 0000 \(Hex.word(echo.count / 2 + 1)) 01 \(echo)")
            try await play.open("client")
            let answer = try await play.answer(to: "client", Hex.frame(1, request), within: Play.soon)
            let function = try #require(Int(request.prefix(2), radix: 16))
            #expect(answer == Hex.frame(1, Hex.exception(0x0B, to: function)))
            // A write is not done again.
            #expect(play.asked == ["01" + request])
        }
    }
}

import MultiplexerCore
import Testing

@Suite struct LengthPrefixFramingTests {
    /// One way to write a length, and how it writes a few of them.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let prefix: LengthPrefix
        /// What stands before bodies of these lengths.
        let headers: [(bytes: [UInt8], bodyLength: Int)]

        init(
            _ description: String,
            header: Int = 0,
            _ bytes: Int,
            _ format: LengthPrefix.Format,
            order: LengthPrefix.Order = .big,
            includesHeader: Bool = false,
            uncounted: Int = 0,
            _ headers: [(bytes: [UInt8], bodyLength: Int)]
        ) throws {
            testDescription = description
            prefix = try LengthPrefix(
                headerBytes: header,
                lengthBytes: bytes,
                format: format,
                order: order,
                includesHeader: includesHeader,
                uncountedBytes: uncounted
            )
            self.headers = headers
        }
    }

    static func cases() throws -> [Case] {
        [
            try Case("1 byte", 1, .binary, [([0], 0), ([1], 1), ([255], 255)]),
            try Case(
                "1 byte that counts itself",
                1,
                .binary,
                includesHeader: true,
                [([1], 0), ([2], 1), ([255], 254)]
            ),
            try Case("2 bytes", 2, .binary, [([0, 0], 0), ([0, 1], 1), ([1, 2], 258)]),
            try Case("2 bytes, little", 2, .binary, order: .little, [([0, 0], 0), ([1, 0], 1), ([2, 1], 258)]),
            try Case(
                "2 bytes that count themselves",
                2,
                .binary,
                includesHeader: true,
                [([0, 2], 0), ([1, 2], 256)]
            ),
            try Case("4 bytes", 4, .binary, [([0, 0, 0, 0], 0), ([0, 0, 1, 2], 258)]),
            try Case("4 bytes, little", 4, .binary, order: .little, [([0, 0, 0, 0], 0), ([2, 1, 0, 0], 258)]),
            try Case(
                "4 bytes, little, that count themselves",
                4,
                .binary,
                order: .little,
                includesHeader: true,
                [([4, 0, 0, 0], 0), ([6, 1, 0, 0], 258)]
            ),
            try Case("1 digit", 1, .ascii, [([0x30], 0), ([0x39], 9)]),
            try Case("2 digits", 2, .ascii, [([0x30, 0x30], 0), ([0x30, 0x39], 9), ([0x39, 0x39], 99)]),
            try Case("4 digits", 4, .ascii, [(Array("0000".utf8), 0), (Array("0124".utf8), 124)]),
            try Case(
                "4 digits that count themselves",
                4,
                .ascii,
                includesHeader: true,
                [(Array("0004".utf8), 0), (Array("0124".utf8), 120)]
            ),
            try Case("BCD, 1 byte", 1, .bcd, [([0x00], 0), ([0x10], 10), ([0x99], 99)]),
            try Case("BCD, 2 bytes", 2, .bcd, [([0x00, 0x00], 0), ([0x01, 0x24], 124), ([0x09, 0x09], 909)]),
            try Case("BCD, 4 bytes", 4, .bcd, [([0, 0, 0, 0], 0), ([0, 0, 0x01, 0x24], 124)]),
            try Case(
                "BCD, 2 bytes that count themselves",
                2,
                .bcd,
                includesHeader: true,
                [([0x00, 0x02], 0), ([0x01, 0x24], 122)]
            ),
            try Case(
                "behind a TPDU",
                header: 5,
                2,
                .binary,
                [([0x60, 0, 1, 0, 2, 0, 0], 0), ([0x60, 0xFF, 0xFF, 0xFF, 0xFF, 0, 9], 9)]
            ),
            try Case(
                "behind a TPDU, counting all",
                header: 5,
                2,
                .binary,
                includesHeader: true,
                [([0x60, 0, 1, 0, 2, 0, 7], 0), ([0x60, 0, 1, 0, 2, 0, 16], 9)]
            ),
            try Case(
                "behind 64 bytes",
                header: 64,
                1,
                .binary,
                [([UInt8](repeating: 0xEE, count: 64) + [3], 3)]
            ),
            try Case("2 bytes, 2 more uncounted", 2, .binary, uncounted: 2, [([0, 0], 2), ([0, 0x1A], 28)]),
            try Case(
                "2 bytes that count themselves, 3 more uncounted",
                2,
                .binary,
                includesHeader: true,
                uncounted: 3,
                [([0, 2], 3), ([0, 9], 10)]
            ),
        ]
    }

    @Test(arguments: try cases())
    func `a frame is as long as its length says wherever the stream is split`(_ table: Case) throws {
        let frames = table.headers.map { header in
            header.bytes + (0..<header.bodyLength).map { UInt8(truncatingIfNeeded: $0) }
        }
        try expectWholeFrames(frames, LengthPrefixFraming(table.prefix))
    }

    @Test(arguments: try cases())
    func `the length is known as soon as its last byte is there`(_ table: Case) throws {
        let framing = LengthPrefixFraming(table.prefix)
        for header in table.headers {
            #expect(try FrameFeeding(framing).measure(header.bytes) == header.bytes.count + header.bodyLength)
            for count in 0..<header.bytes.count {
                #expect(try FrameFeeding(framing).measure(Array(header.bytes.prefix(count))) == nil)
            }
        }
    }

    // Trap T5: one peer takes a negative length for a length.
    @Test(
        arguments: [
            "-001", "+012", " 012", "12 \u{0}", "0x10", "1e02", "GET ", "00/0", "00:0", "\u{0}\u{0}\u{0}\u{1}",
        ]
    )
    func `a length of anything but ASCII digits is refused`(_ text: String) throws {
        let framing = LengthPrefixFraming(.fourDigits)
        let complaint = try #require(FrameFeeding(framing).complaint(about: Array(text.utf8)))
        #expect(complaint.hasPrefix("a length field that is not made of ASCII digits: "))
    }

    @Test(arguments: [[0x00, 0x0A], [0x00, 0xA0], [0xF0, 0x00], [0xFF, 0xFF]] as [[UInt8]])
    func `a length of anything but BCD digits is refused`(_ bytes: [UInt8]) throws {
        let framing = LengthPrefixFraming(try LengthPrefix(format: .bcd))
        let complaint = try #require(FrameFeeding(framing).complaint(about: bytes))
        #expect(complaint.hasPrefix("a length field that is not made of BCD digits: "))
    }

    @Test func `what is no digit is shown in hexadecimal`() {
        let complaint = FrameFeeding(LengthPrefixFraming(.fourDigits)).complaint(about: [0x2D, 0x30, 0x07, 0x31])
        #expect(complaint == "a length field that is not made of ASCII digits: 2D 30 07 31 (hexadecimal)")
    }

    @Test(
        arguments: [(0, [0, 0]), (0, [0, 1]), (5, [0x60, 0, 0, 0, 0, 0, 0]), (5, [0x60, 0, 0, 0, 0, 0, 6])]
            as [(Int, [UInt8])]
    )
    func `a length that should count itself and does not is refused`(_ header: Int, _ bytes: [UInt8]) throws {
        let framing = LengthPrefixFraming(try LengthPrefix(headerBytes: header, includesHeader: true))
        #expect(
            FrameFeeding(framing).complaint(about: bytes)
                == "a length of \(bytes.last ?? 0), which should count at least the \(header + 2) bytes up to its own end"
        )
    }

    // Two reserved bytes behind the length, as payment hosts have them; the frame of a logger stick.
    @Test(
        arguments: [
            (try LengthPrefix(uncountedBytes: 2), [0x00, 0x1A, 0x00, 0x00], 30),
            (
                try LengthPrefix(headerBytes: 1, order: .little, uncountedBytes: 10),
                [0xA5, 0x17, 0x00, 0x10, 0x45, 0x00, 0x00], 0x17 + 13
            ),
        ] as [(LengthPrefix, [UInt8], Int)]
    )
    func `a frame has more bytes than its length counts`(_ prefix: LengthPrefix, _ bytes: [UInt8], _ length: Int) throws
    {
        try expectWholeFrames(
            [
                bytes + [UInt8](repeating: 0x55, count: length - bytes.count),
                bytes + [UInt8](repeating: 0xAA, count: length - bytes.count),
            ],
            LengthPrefixFraming(prefix)
        )
        #expect(try FrameFeeding(LengthPrefixFraming(prefix)).measure(bytes) == length)
    }

    @Test func `uncounted bytes count towards the limit`() throws {
        let framing = LengthPrefixFraming(try LengthPrefix(uncountedBytes: 2, maximumLength: 100))
        #expect(try FrameFeeding(framing).measure([0, 96]) == 100)
        #expect(
            FrameFeeding(framing).complaint(about: [0, 97])
                == "a length that makes a message of 101 bytes; at most 100 are allowed"
        )
    }

    @Test func `a message above the limit is refused on its header`() throws {
        let framing = LengthPrefixFraming(try LengthPrefix(headerBytes: 1, maximumLength: 100))
        #expect(try FrameFeeding(framing).measure([9, 0, 97]) == 100)
        #expect(
            FrameFeeding(framing).complaint(about: [9, 0, 98])
                == "a length that makes a message of 101 bytes; at most 100 are allowed"
        )
        let four = LengthPrefixFraming(try LengthPrefix(lengthBytes: 4))
        #expect(try FrameFeeding(four).measure([0x00, 0x0F, 0xFF, 0xFC]) == 1_048_576)
        #expect(FrameFeeding(four).complaint(about: [0x00, 0x0F, 0xFF, 0xFD]) != nil)
        #expect(FrameFeeding(four).complaint(about: [0xFF, 0xFF, 0xFF, 0xFF]) != nil)
        let all = LengthPrefixFraming(try LengthPrefix(lengthBytes: 4, includesHeader: true))
        #expect(try FrameFeeding(all).measure([0x00, 0x10, 0x00, 0x00]) == 1_048_576)
        #expect(FrameFeeding(all).complaint(about: [0xFF, 0xFF, 0xFF, 0xFF]) != nil)
    }

    // MARK: Settings

    @Test(
        arguments: [
            (1, .binary, false, 256), (2, .binary, false, 65_537), (2, .binary, true, 65_535),
            (4, .binary, false, 1_048_576), (4, .binary, true, 1_048_576), (1, .ascii, false, 10),
            (2, .ascii, false, 101), (4, .ascii, false, 10_003), (4, .ascii, true, 9_999), (1, .bcd, false, 100),
            (2, .bcd, false, 10_001), (4, .bcd, false, 1_048_576),
        ] as [(Int, LengthPrefix.Format, Bool, Int)]
    )
    func `without a limit it is what the length can tell, up to 1 MiB`(
        _ bytes: Int,
        _ format: LengthPrefix.Format,
        _ includesHeader: Bool,
        _ maximum: Int
    ) throws {
        let prefix = try LengthPrefix(lengthBytes: bytes, format: format, includesHeader: includesHeader)
        #expect(prefix.maximumLength == maximum)
    }

    @Test(
        arguments: [
            (65, 2, .binary, .big, nil, "0 to 64 bytes may stand before the length, not 65"),
            (-1, 2, .binary, .big, nil, "0 to 64 bytes may stand before the length, not -1"),
            (0, 3, .binary, .big, nil, "a length takes 1, 2 or 4 bytes, not 3"),
            (0, 0, .ascii, .big, nil, "a length takes 1, 2 or 4 bytes, not 0"),
            (0, 4, .ascii, .little, nil, "only a binary length can be little-endian"),
            (0, 2, .bcd, .little, nil, "only a binary length can be little-endian"),
            (0, 1, .binary, .little, nil, "a length of one byte has no byte order"),
            (5, 2, .binary, .big, 6, "limited to 7 (header and length) to 67108864 bytes, not to 6"),
            (0, 4, .binary, .big, 67_108_865, "limited to 4 (header and length) to 67108864 bytes, not to 67108865"),
        ] as [(Int, Int, LengthPrefix.Format, LengthPrefix.Order, Int?, String)]
    )
    func `settings that cannot be are refused with the reason`(
        _ header: Int,
        _ bytes: Int,
        _ format: LengthPrefix.Format,
        _ order: LengthPrefix.Order,
        _ maximum: Int?,
        _ words: String
    ) {
        let error = #expect(throws: InvalidSettings.self) {
            try LengthPrefix(
                headerBytes: header,
                lengthBytes: bytes,
                format: format,
                order: order,
                maximumLength: maximum
            )
        }
        #expect(error?.description.contains(words) == true)
    }

    @Test(
        arguments: [
            (-1, nil, "a message may have 0 to 64 bytes that its length does not count, not -1"),
            (65, nil, "a message may have 0 to 64 bytes that its length does not count, not 65"),
            (10, 11, "limited to 12 (header, length and what it does not count) to 67108864 bytes, not to 11"),
        ] as [(Int, Int?, String)]
    )
    func `uncounted bytes that cannot be are refused with the reason`(
        _ uncounted: Int,
        _ maximum: Int?,
        _ words: String
    ) {
        let error = #expect(throws: InvalidSettings.self) {
            try LengthPrefix(uncountedBytes: uncounted, maximumLength: maximum)
        }
        #expect(error?.description.contains(words) == true)
    }

    @Test func `the protocols' own lengths are two bytes and four digits`() throws {
        #expect(LengthPrefix.twoBytes == (try LengthPrefix()))
        #expect(LengthPrefix.fourDigits == (try LengthPrefix(lengthBytes: 4, format: .ascii)))
        let prefixes = [ApplicationProtocol.iso8583, .mpu, .lengthPrefixed].map {
            ($0.framing as? LengthPrefixFraming)?.prefix
        }
        #expect(prefixes == [.twoBytes, .fourDigits, .twoBytes])
    }

    @Test func `settings reach the framing and the rules`() throws {
        let prefix = try LengthPrefix(headerBytes: 5, lengthBytes: 4, uncountedBytes: 2)
        let protocols: [ApplicationProtocol] = [
            .iso8583(prefix: prefix), .mpu(prefix: prefix), .lengthPrefixed(prefix: prefix),
        ]
        #expect(protocols.map(\.name) == ["iso8583", "mpu", "length-prefixed"])
        #expect(protocols.map { ($0.framing as? LengthPrefixFraming)?.prefix } == [prefix, prefix, prefix])
        #expect(protocols.map { ($0.messageRules as? ISO8583MessageRules)?.messageOffset } == [11, 11, nil])
    }
}

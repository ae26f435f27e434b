import Logging
import SecureMux
import Testing

@testable import tcp_multiplexer

@Suite struct LineLogHandlerTests {
    @Test func `a line has its time, its level and its message`() {
        #expect(line(.notice, "listening") == "2026-01-02T03:04:05.500Z notice   listening")
        #expect(line(.critical, "no more") == "2026-01-02T03:04:05.500Z critical no more")
    }

    @Test func `who comes first, then what, then the remedy`() {
        #expect(
            pairs(["remedy": "none", "unit": "1", "asks": "a", "client": "c"]) == "client=c asks=a unit=1 remedy=none"
        )
    }

    @Test func `a sentence names the options that set what it is about`() {
        let remedy: Sentence = "raise \(.maxClients)"
        #expect(pairs(["remedy": .stringConvertible(remedy)]) == "remedy=\"raise --max-clients\"")
    }

    @Test func `a message that is a sentence is written once, with its options`() {
        let sentence: Sentence = "give \(.ca) another one"
        let line = line(.warning, "give 'ca' another one", ["sentence": .stringConvertible(sentence), "unit": "1"])
        #expect(line.hasSuffix(" give --ca another one unit=1"))
    }

    @Test func `what the message says of a key counts more than what the logger does`() {
        var handler = LineLogHandler(level: .info)
        handler[metadataKey: "device"] = "d"
        handler[metadataKey: "unit"] = "1"
        #expect(handler.line(for: event(.info, "m", ["unit": "2"]), at: time).hasSuffix(" m device=d unit=2"))
    }

    @Test(arguments: [
        ("modbus", "modbus"), ("[::1]:8000", "[::1]:8000"), ("Müller→✓", "Müller→✓"), ("", "\"\""),
        ("two words", "\"two words\""), ("no\u{A0}break", "\"no\u{A0}break\""), ("a\"b", "\"a\\\"b\""),
        ("CN=a\\,b", "\"CN=a\\\\,b\""),
    ])
    func `a value is quoted unless it is one plain word`(value: String, written: String) {
        #expect(pairs(["key": "\(value)"]) == "key=\(written)")
    }

    @Test(
        arguments: [
            0x00, 0x09, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xAD, 0x200B, 0x200E, 0x2028, 0x2029, 0x202E, 0x2066,
            0xFEFF,
            0xE0041,
        ] as [UInt32]
    )
    func `what a terminal would obey is escaped, wherever it stands`(code: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(code))
        let hex = String(code, radix: 16)
        #expect(pairs(["key": "a\(scalar)b"]) == "key=\"a\\u{\(hex)}b\"")
        #expect(pairs(["key": "a \(scalar)b"]) == "key=\"a \\u{\(hex)}b\"")
        #expect(line(.info, "a \(scalar)\"b\"").hasSuffix(" a \\u{\(hex)}\"b\""))
    }

    @Test func `a combination of controls is escaped one by one`() {
        #expect(pairs(["key": "a\r\nb"]) == "key=\"a\\u{d}\\u{a}b\"")
    }

    private let time = Timestamp(sinceEpoch: .milliseconds(1_767_323_045_500))

    private func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        LineLogHandler(level: level).line(for: event(level, message, metadata), at: time)
    }

    /// What follows the message.
    private func pairs(_ metadata: Logger.Metadata) -> String {
        let parts = line(.info, "message", metadata).split(separator: " message ", maxSplits: 1)
        return String(parts.last ?? "")
    }

    private func event(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> LogEvent {
        LogEvent(
            level: level,
            message: "\(message)",
            metadata: metadata,
            source: nil,
            file: #fileID,
            function: #function,
            line: #line
        )
    }
}

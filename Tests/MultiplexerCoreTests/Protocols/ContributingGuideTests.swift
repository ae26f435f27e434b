import Foundation
public import MultiplexerCore
import Testing

// The code of "Add a protocol" in CONTRIBUTING.md, so that it compiles and does what the guide says. What stands between two
// markers is shown there as it is.

// MARK: guide: framing

/// Records: a length byte, then as many bytes of message.
package struct RecordFraming: Framing {
    /// The one record framing: it has nothing to set.
    package init() {}

    /// Records carry no id.
    package var carriesTransactionIDs: Bool { false }

    /// Reads the length byte; a record has at least its key.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        guard !bytes.isEmpty else { return nil }
        guard bytes[0] > 0 else { throw FramingError("a record without a key") }
        return 1 + Int(bytes[0])
    }

    /// The message is all behind the length byte.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: 1..<frame.count)
    }

    /// That of the length byte.
    package var headerRoom: Int { 1 }

    /// Writes the length byte in front of the message.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {
        frame[0] = UInt8(truncatingIfNeeded: frame.count - 1)
    }
}

// MARK: guide: rules

/// What records say: a key, and its value where one is set or answered.
package struct RecordMessageRules: MessageRules {
    /// The one set of these rules.
    package init() {}

    /// The end of a client's stream means that it has left.
    package var allowsHalfClosure: Bool { false }

    /// A response repeats the key of its request.
    package func request(_ message: Span<UInt8>) -> Request {
        Request(correlation: Correlation(rawValue: UInt64(message[0])), mayWrite: message.count > 1)
    }

    /// Such as "key 7".
    package func summary(ofRequest message: Span<UInt8>) -> String { "key \(message[0])" }

    /// The key.
    package func response(_ message: Span<UInt8>) -> Response {
        Response(correlation: Correlation(rawValue: UInt64(message[0])))
    }

    /// The key alone means that there is no value.
    package func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        output.append(request[0])
        return true
    }
}

// MARK: guide: protocol

extension ApplicationProtocol {
    /// Records of a key and a value.
    public static let record = ApplicationProtocol(
        name: "record",
        summary: "records of a length byte, a key and a value",
        messages: .opaque,
        framing: RecordFraming(),
        messageRules: RecordMessageRules()
    )
}

// MARK: guide: tests

@Suite struct RecordFramingTests {
    static let records: [[UInt8]] = [[1, 0x07], [2, 0x07, 0xFF], [4, 0x07, 0x00, 0x01, 0x02]]

    @Test func `a message goes out behind its length`() {
        #expect(RecordFraming().sealed([0x07, 0xFF], transactionID: 0) == [2, 0x07, 0xFF])
    }

    @Test func `a record without a key is refused`() {
        #expect(FrameFeeding(RecordFraming()).complaint(about: [0]) == "a record without a key")
    }

    @Test func `a response answers the request with its key`() {
        let rules = RecordMessageRules()
        let request = rules.request([0x07].span)
        #expect(request == Request(correlation: rules.response([0x07, 0xFF].span).correlation, mayWrite: false))
        #expect(request.correlation != rules.response([0x08, 0xFF].span).correlation)
    }
}

// MARK: guide: end

@Suite struct ContributingGuideTests {
    @Test(arguments: ["framing", "rules", "protocol", "tests"])
    func `the guide shows the code that compiles here`(_ part: String) throws {
        let own = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let parts = own.components(separatedBy: "\n// MARK: guide: ").dropFirst()
        let code = try #require(parts.first { $0.hasPrefix(part + "\n") }).dropFirst(part.count)
            .trimmingCharacters(in: .newlines)
        #expect(try Self.blocks.contains(code))
    }

    @Test func `the guide's list of protocols is the one there is, and the guide's own`() throws {
        let source = try Self.text(of: "Sources/MultiplexerCore/Protocols/ApplicationProtocol.swift")
        let start = try #require(source.range(of: "    public static let all: [ApplicationProtocol] = ["))
        let end = try #require(source.range(of: "\n    ]", range: start.upperBound..<source.endIndex))
        let list = String(source[start.lowerBound..<end.upperBound]).replacing(" .echo,", with: " .record, .echo,")
        #expect(try Self.blocks.contains(list))
    }

    @Test func `what holds for every protocol holds for the guide's`() throws {
        let stream = RecordFramingTests.records.flatMap(\.self)
        for index in 0...stream.count {
            var feeding = FrameFeeding(ApplicationProtocol.record.framing)
            #expect(try feeding.feed(stream[..<index]) + feeding.feed(stream[index...]) == RecordFramingTests.records)
        }
        for record in RecordFramingTests.records {
            #expect(FrameFeeding(ApplicationProtocol.record.framing).resealed(record) == record)
        }
    }

    /// What CONTRIBUTING.md shows as Swift.
    private static var blocks: [String] {
        get throws {
            try text(of: "CONTRIBUTING.md").components(separatedBy: "```swift\n").dropFirst().compactMap {
                $0.components(separatedBy: "\n```").first
            }
        }
    }

    private static func text(of path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}

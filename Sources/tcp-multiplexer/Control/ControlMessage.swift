import Foundation

/// What a server is asked to do: a line of JSON, such as `{"command":"reload"}`.
struct ControlRequest: Codable, Hashable, Sendable {
    let command: String
    /// What the command is about, by its names.
    var arguments: [String: String]?

    /// How long a line may be.
    static let longest = 4 << 10
}

/// What came of it: a line of JSON, such as `{"isDone":true,"lines":["nothing changed"]}`.
struct ControlResponse: Codable, Hashable, Sendable {
    let isDone: Bool
    /// The outcome, or what is wrong.
    let lines: [String]

    /// It was done.
    static func done(_ lines: String...) -> ControlResponse { ControlResponse(isDone: true, lines: lines) }

    /// It was not, and nothing has changed.
    static func failed(_ lines: [String]) -> ControlResponse { ControlResponse(isDone: false, lines: lines) }

    /// How long a line may be: a response that would be longer tells less.
    static let longest = 1 << 20
}

extension Encodable {
    /// The line, with its end.
    func controlLine() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array((try? encoder.encode(self)) ?? Data("{}".utf8)) + [UInt8(ascii: "\n")]
    }
}

extension ControlResponse {
    /// The line, with its end, never longer than may be.
    func line() -> [UInt8] {
        let line = controlLine()
        guard line.count > Self.longest else { return line }
        return ControlResponse(isDone: isDone, lines: lines.prefix(20).map { String($0.prefix(1000)) }).controlLine()
    }
}

extension Decodable {
    /// What a line says; nil if it is none of these.
    init?(controlLine line: some Collection<UInt8>) {
        guard let value = try? JSONDecoder().decode(Self.self, from: Data(line)) else { return nil }
        self = value
    }
}

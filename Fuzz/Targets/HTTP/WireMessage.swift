/// A message on the wire, for a reader that knows no more of RFC 9112 than it must and overlooks nothing but, in a device's
/// head, what the standard says how to read: line feeds alone, control characters, a length beside chunks.
///
/// It is slow, plain to see, and has nothing in common with the parsers under test.
struct WireMessage {
    private(set) var startLine: [String] = []
    private(set) var fields: [Field] = []
    private(set) var body: [UInt8] = []
    private(set) var trailers: [Field] = []
    private(set) var framing = Framing.none
    /// A length stands beside chunks.
    private(set) var isLengthOverruled = false

    struct Field: Equatable {
        let name: String
        let value: [UInt8]
    }

    enum Kind {
        case request
        /// As clients are to get it.
        case response(toHEAD: Bool)
        /// As devices may send it.
        case deviceResponse(toHEAD: Bool)

        fileprivate var isLenient: Bool { if case .deviceResponse = self { true } else { false } }
    }

    enum Framing { case none, length, chunked, untilEnd }

    /// Takes one message from the front of `bytes`.
    init(_ kind: Kind, from bytes: inout ArraySlice<UInt8>) throws(Violation) {
        startLine = String(decoding: try Self.line(from: &bytes, kind.isLenient), as: UTF8.self)
            .split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        fields = try Self.fields(from: &bytes, kind.isLenient)
        framing = try framing(kind)
        switch framing {
        case .none:
            break
        case .length:
            guard let length = values("content-length").first.flatMap({ Int($0) }), length <= bytes.count else {
                throw Violation("a body shorter than its length")
            }
            body = Array(bytes.prefix(length))
            bytes = bytes.dropFirst(length)
        case .chunked:
            try takeChunks(from: &bytes)
        case .untilEnd:
            body = Array(bytes)
            bytes = []
        }
    }

    /// Takes one message that is all of `bytes`.
    init(_ kind: Kind, _ bytes: [UInt8]) throws(Violation) {
        var rest = bytes[...]
        do throws(Violation) {
            try self.init(kind, from: &rest)
        } catch {
            throw Violation("\(error): \(bytes.quoted)")
        }
        guard rest.isEmpty else { throw Violation("more than one message: \(bytes.quoted)") }
    }

    /// The status of a response.
    var status: Int? { startLine.count > 1 ? Int(startLine[1]) : nil }

    /// What the fields with this name say, which is given in lower case.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// The fields that are not for this connection alone.
    var endToEndFields: [Field] {
        let nominated = values("connection").flatMap { $0.split(separator: ",") }.map {
            $0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }.lowercased()
        }
        return fields.filter { !Self.ofConnection.contains($0.name.lowercased()) }
            .filter { !nominated.contains($0.name.lowercased()) }
    }

    private static let ofConnection: Set = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]
}

// MARK: - Reading

extension WireMessage {
    private mutating func framing(_ kind: Kind) throws(Violation) -> Framing {
        let codings = values("transfer-encoding")
        var lengths = values("content-length")
        if kind.isLenient, !lengths.isEmpty, !codings.isEmpty { (lengths, isLengthOverruled) = ([], true) }
        guard lengths.count + codings.count <= 1 else { throw Violation("more than one length") }
        guard lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            codings.allSatisfy({ $0.lowercased() == "chunked" })
        else { throw Violation("a length that can be read in two ways") }
        let framing = lengths.isEmpty ? codings.isEmpty ? nil : Framing.chunked : .length
        switch kind {
        case .request:
            guard startLine.count == 3, startLine.allSatisfy({ !$0.isEmpty }) else {
                throw Violation("no request line")
            }
            return framing ?? .none
        case .response(let isToHEAD), .deviceResponse(let isToHEAD):
            guard startLine.count >= 2, startLine[0].hasPrefix("HTTP/1."), let status, (100...999).contains(status)
            else { throw Violation("no status line") }
            return isToHEAD || status < 200 || status == 204 || status == 304 ? .none : framing ?? .untilEnd
        }
    }

    private mutating func takeChunks(from bytes: inout ArraySlice<UInt8>) throws(Violation) {
        while true {
            let size = try Self.line(from: &bytes).prefix { $0 != UInt8(ascii: ";") }
            guard let length = Int(String(decoding: size, as: UTF8.self), radix: 16), length >= 0,
                size.first != UInt8(ascii: "+"), length < bytes.count
            else { throw Violation("no chunk") }
            if length == 0 { break }
            body += bytes.prefix(length)
            bytes = bytes.dropFirst(length)
            guard try Self.line(from: &bytes).isEmpty else { throw Violation("a chunk longer than its size") }
        }
        trailers = try Self.fields(from: &bytes)
    }

    private static func fields(
        from bytes: inout ArraySlice<UInt8>,
        _ isLenient: Bool = false
    ) throws(Violation) -> [Field] {
        var fields: [Field] = []
        while true {
            let line = try line(from: &bytes, isLenient)
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw Violation("no field: \(Array(line).quoted)") }
            let blank: [UInt8] = [0x20, 0x09]
            let value = line[(colon + 1)...].drop { blank.contains($0) }.reversed().drop { blank.contains($0) }
            fields.append(Field(name: String(decoding: line[..<colon], as: UTF8.self), value: value.reversed()))
        }
    }

    /// A line, of which neither CR nor LF may be a part.
    private static func line(
        from bytes: inout ArraySlice<UInt8>,
        _ isLenient: Bool = false
    ) throws(Violation) -> ArraySlice<UInt8> {
        if isLenient, let end = bytes.firstIndex(of: 0x0A) {
            var line = bytes[..<end]
            if line.last == 0x0D { line.removeLast() }
            guard !line.contains(0x0D) else { throw Violation("no line") }
            bytes = bytes[(end + 1)...]
            return line.map { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F ? 0x20 : $0 }[...]
        }
        guard let end = bytes.firstIndex(of: 0x0A), end > bytes.startIndex, bytes[end - 1] == 0x0D,
            !bytes[..<(end - 1)].contains(0x0D), !bytes[..<end].contains(0)
        else { throw Violation("no line") }
        defer { bytes = bytes[(end + 1)...] }
        return bytes[..<(end - 1)]
    }
}

extension [UInt8] {
    /// Such as "GET / HTTP/1.1\r\n".
    var quoted: String { String(reflecting: String(decoding: self, as: UTF8.self)) }
}

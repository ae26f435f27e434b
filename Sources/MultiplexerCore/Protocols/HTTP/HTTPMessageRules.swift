/// What the record of an HTTP message says at its start, where the core can read it without parsing the rest.
///
/// ```
/// request    1, flags, method length (1), target length (4), method, target, …
/// response   2, flags, …
/// failure    3, which one
/// ```
package enum HTTPRecord {
    /// The first byte of a request.
    package static let request: UInt8 = 1
    /// The first byte of a response.
    package static let response: UInt8 = 2
    /// The first byte of what a client's codec turns into the response to a request that failed.
    package static let failure: UInt8 = 3

    /// A flag of requests: the method is safe, so that the request changes nothing (RFC 9110, section 9.2.1).
    package static let isSafe: UInt8 = 1
    /// A flag of responses: the device takes no further request on this connection.
    package static let isLast: UInt8 = 1

    /// Where a request's method begins.
    package static let methodOffset = 7

    /// The failure that a record stands for, or nil where it stands for none.
    package static func failure(in record: Span<UInt8>) -> Failure? {
        guard record.count == 2, record[0] == failure, Int(record[1]) < Failure.allCases.count else { return nil }
        return Failure.allCases[Int(record[1])]
    }
}

/// HTTP: any response answers the one request in flight; failures become statuses.
package struct HTTPMessageRules: MessageRules {
    /// The one set of these rules.
    package init() {}

    /// A client may close its sending side after its last request.
    package var allowsHalfClosure: Bool { true }

    /// A safe method without a query or a body changes nothing, any other might.
    package func request(_ message: Span<UInt8>) -> Request {
        let isSafe = message.count > 1 && message[1] & HTTPRecord.isSafe != 0
        return Request(correlation: .none, mayWrite: !isSafe, subject: subject(of: message))
    }

    /// The method and the target with its query: gadgets take commands there.
    private func subject(of message: Span<UInt8>) -> Request.Subject? {
        guard message.count >= HTTPRecord.methodOffset else { return nil }
        let targetLength = (3..<7).reduce(0) { $0 << 8 | Int(message[$1]) }
        let end = HTTPRecord.methodOffset + Int(message[2]) + targetLength
        guard end <= message.count else { return nil }
        return Request.Subject(hashing: message.extracting(HTTPRecord.methodOffset..<end))
    }

    /// The method and the target, such as "GET /status".
    package func summary(ofRequest message: Span<UInt8>) -> String {
        guard message.count >= HTTPRecord.methodOffset, message[0] == HTTPRecord.request else {
            return "\(message.count) bytes"
        }
        let method = HTTPRecord.methodOffset..<HTTPRecord.methodOffset + Int(message[2])
        let targetLength = (3..<7).reduce(0) { $0 << 8 | Int(message[$1]) }
        let target = method.upperBound..<method.upperBound + min(targetLength, Self.longestSummary)
        guard target.upperBound <= message.count else { return "\(message.count) bytes" }
        return "\(text(message, method)) \(text(message, target))\(targetLength > Self.longestSummary ? "…" : "")"
    }

    private static let longestSummary = 200

    private func text(_ message: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { (0x21...0x7E).contains(message[$0]) ? message[$0] : 0x3F }, as: UTF8.self)
    }

    /// Whether the device closes the connection after it.
    package func response(_ message: Span<UInt8>) -> Response {
        Response(correlation: .none, isLast: message.count > 1 && message[1] & HTTPRecord.isLast != 0)
    }

    /// Appends a record that names the failure; the client's codec finds the status and the words.
    package func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        output.append(HTTPRecord.failure)
        output.append(UInt8(Failure.allCases.firstIndex(of: failure) ?? 0))
        return true
    }
}

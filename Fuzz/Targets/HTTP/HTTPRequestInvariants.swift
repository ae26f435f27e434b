import MultiplexerCore
import NIOCore
import NIOHTTP1

/// What holds for whatever a client sends.
///
/// ```
/// +-------+-------+-------+---------+--------+
/// | flags | piece | piece | answers | stream |
/// |       |  - 1  |  - 1  |         |        |
/// +-------+-------+-------+---------+--------+
/// ```
///
/// The flags: the limits are small; the client closes its sending side; two bits that choose when it gets its answers.
struct HTTPRequestInvariants {
    private let limits: HTTPLimits
    private let endsInput: Bool
    /// Which answer the first request gets.
    private let firstResponse: Int
    private let stream: [UInt8]

    /// When requests are answered: while they are passed on, after the read that brought them, or behind everything.
    private enum Moment: Int { case atOnce, afterRead, atLast }

    /// What came of a stream.
    private struct Outcome: Equatable {
        var records: [ByteBuffer] = []
        /// Each without what only said that the client may continue.
        var responses: [[UInt8]] = []
        var refusal: HTTPRefusal?
        var hasEndedOutput = false
        /// How many bytes had come when each record did.
        var positions: [Int] = []

        static func == (one: Outcome, other: Outcome) -> Bool {
            one.records == other.records && one.responses == other.responses && one.refusal == other.refusal
                && one.hasEndedOutput == other.hasEndedOutput
        }
    }

    static func check(_ input: [UInt8]) throws(Violation) {
        var input = FuzzInput(input)
        let flags = input.byte()
        let pieces = [1 + Int(input.byte()), 1 + Int(input.byte())]
        let first = Int(input.byte())
        try HTTPRequestInvariants(
            limits: flags & 1 == 0 ? HTTPLimits() : .small,
            endsInput: flags & 2 != 0,
            firstResponse: first,
            stream: input.rest()
        ).check(pieces, Int(flags >> 2))
    }

    private func check(_ pieces: [Int], _ moment: Int) throws(Violation) {
        let outcome = try run([1], moment)
        for (index, lengths) in [[stream.count], pieces].enumerated() {
            let other = try run(lengths, moment + 1 + index)
            guard other == outcome || isAtLimit(outcome, other) else {
                throw Violation("byte by byte: \(outcome)\nin pieces of \(lengths): \(other)")
            }
        }
        var rest = stream[...]
        for (record, position) in zip(outcome.records, outcome.positions) {
            let request = try HTTPRequestRecord(record, within: limits)
            // An empty line in front of a request is overlooked.
            if rest.starts(with: [0x0D, 0x0A]) { rest = rest.dropFirst(2) }
            try request.check(isOn: WireMessage(.request, Array(stream[rest.startIndex..<position])))
            rest = stream[position...]
            try request.checkPassingOn()
        }
    }

    /// What stands around chunks and in trailers is weighed once in each piece: whether a few bytes are too many, or are
    /// found wrong before that, depends on the pieces.
    private func isAtLimit(_ one: Outcome, _ other: Outcome) -> Bool {
        [one, other].contains { outcome in
            ["more around its chunks than in them", "trailer fields over the limit"].contains {
                outcome.refusal?.violation.description == $0
            }
        }
    }
}

// MARK: - One run

extension HTTPRequestInvariants {
    /// Sends the stream in pieces of these lengths in turn.
    private func run(_ lengths: [Int], _ moment: Int) throws(Violation) -> Outcome {
        let moment = Moment(rawValue: moment % 3)
        let client = try HTTPEnd.client(limits)
        var outcome = Outcome()
        if moment == .atOnce {
            var responded = 0
            client.onRecord = { [unowned client] _ in
                responded += 1
                client.write(response(responded - 1).frame)
            }
        }
        var responded = 0
        for (piece, end) in stream.pieces(of: lengths) {
            client.receive(piece)
            while outcome.positions.count < client.records.count { outcome.positions.append(end) }
            while moment == .afterRead, responded < client.records.count {
                client.write(response(responded).frame)
                responded += 1
            }
        }
        if endsInput { client.receiveEndOfInput() }
        while moment != .atOnce, responded < client.records.count {
            client.write(response(responded).frame)
            responded += 1
        }
        outcome.records = client.records
        outcome.hasEndedOutput = client.hasEndedOutput
        guard client.errors.count <= 1, client.errors.allSatisfy({ $0 is HTTPRefusal }) else {
            throw Violation("errors: \(client.errors)")
        }
        outcome.refusal = client.errors.first as? HTTPRefusal
        outcome.responses = try responses(client.takeOutput(), outcome)
        try checkSilence(of: client)
        return outcome
    }

    /// Cuts what the client got.
    private func responses(_ output: [UInt8], _ outcome: Outcome) throws(Violation) -> [[UInt8]] {
        var responses: [[UInt8]] = []
        var rest = output[...]
        let count = outcome.records.count + (outcome.refusal?.violation.status == nil ? 0 : 1)
        while !rest.isEmpty {
            let isRefusal = responses.count == outcome.records.count
            var isHEAD = isRefusal ? false : HTTPRequestRecord(outcome.records[responses.count])?.method == .HEAD
            let start = rest
            var wire: WireMessage
            do throws(Violation) {
                wire = try WireMessage(.response(toHEAD: isHEAD), from: &rest)
            } catch {
                // Whether the request that is refused was HEAD nobody tells.
                guard isRefusal else { throw error }
                isHEAD = true
                rest = start
                wire = try WireMessage(.response(toHEAD: true), from: &rest)
            }
            let bytes = Array(start.prefix(start.count - rest.count))
            if wire.status == 100 {
                guard wire.fields.isEmpty else { throw Violation("a strange answer: \(bytes.quoted)") }
                continue
            }
            let record = try HTTPResponseRecord.read(bytes, toHEAD: isHEAD)
            responses.append(bytes)
            guard record.isLast == (responses.count == count && outcome.hasEndedOutput) else {
                throw Violation("response \(responses.count) of \(count) and the connection: \(output.quoted)")
            }
            if isRefusal {
                guard record.status == outcome.refusal?.violation.status else {
                    throw Violation("\(bytes.quoted) for \(outcome)")
                }
            } else {
                try response(responses.count - 1).check(isOn: wire, toHEAD: isHEAD)
            }
        }
        guard responses.count == count, outcome.refusal == nil || outcome.hasEndedOutput else {
            throw Violation("\(responses.count) responses instead of \(count): \(output.quoted)")
        }
        return responses
    }

    /// Whoever was sent away is not heard any more.
    private func checkSilence(of client: HTTPEnd) throws(Violation) {
        guard client.hasEndedOutput else { return }
        let count = client.records.count
        client.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        client.receiveEndOfInput()
        guard client.records.count == count, client.takeOutput().isEmpty else {
            throw Violation("a request behind the last one was passed on")
        }
    }

    private func response(_ index: Int) -> HTTPResponseRecord {
        Self.responses[(firstResponse + index) % Self.responses.count]
    }

    private static let responses = [
        HTTPResponseRecord(status: 200, headers: ["X": "a"], body: ByteBuffer(string: "hello")),
        HTTPResponseRecord(status: 204, headers: [:]),
        HTTPResponseRecord(
            status: 200,
            headers: ["Trailer": "X"],
            body: ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"),
            trailers: ["X": "1"]
        ),
        HTTPResponseRecord(status: 304, headers: ["ETag": "1"], declaredLength: 7),
        HTTPResponseRecord(status: 500, headers: [:], body: ByteBuffer(), isLast: true),
    ]
}

extension HTTPLimits {
    /// Limits that small inputs reach.
    static let small = HTTPLimits(head: 160, target: 24, fields: 5, body: 20)
}

extension [UInt8] {
    /// The bytes in pieces of these lengths in turn, and how many have come at the end of each.
    func pieces(of lengths: [Int]) -> [(piece: ArraySlice<UInt8>, end: Int)] {
        var pieces: [(ArraySlice<UInt8>, Int)] = []
        var rest = self[...]
        while !rest.isEmpty {
            let piece = rest.prefix(lengths[pieces.count % lengths.count])
            rest = rest.dropFirst(piece.count)
            pieces.append((piece, piece.endIndex))
        }
        return pieces
    }
}

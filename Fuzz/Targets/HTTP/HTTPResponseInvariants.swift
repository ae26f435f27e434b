import MultiplexerCore
import NIOCore
import NIOHTTP1

/// What holds for whatever a device answers.
///
/// ```
/// +-------+-------+-------+---------+-----+--------+
/// | flags | piece | piece | methods | cut | stream |
/// |       |  - 1  |  - 1  |         |     |        |
/// +-------+-------+-------+---------+-----+--------+
/// ```
///
/// The flags: the limits are small; the client speaks HTTP/1.0; the device closes the connection, or breaks it. Each bit of
/// the methods is set where a request is HEAD.
struct HTTPResponseInvariants {
    private let limits: HTTPLimits
    private let isHTTP1_0: Bool
    private let end: End
    private let methods: Int
    private let stream: [UInt8]

    private enum End: Int { case none, closed, broken }

    /// What came of a stream.
    private struct Outcome: Equatable {
        var records: [ByteBuffer] = []
        /// How many bytes had come when each record did.
        var positions: [Int] = []
        var complaint: String?
    }

    static func check(_ input: [UInt8]) throws(Violation) {
        var input = FuzzInput(input)
        let flags = input.byte()
        let pieces = [1 + Int(input.byte()), 1 + Int(input.byte())]
        let (methods, cut) = (Int(input.byte()), Int(input.byte()))
        try HTTPResponseInvariants(
            limits: flags & 1 == 0 ? HTTPLimits() : .small,
            isHTTP1_0: flags & 2 != 0,
            end: End(rawValue: Int(flags >> 2) % 3) ?? .none,
            methods: methods,
            stream: input.rest()
        ).check(pieces, cut)
    }

    private func check(_ pieces: [Int], _ cut: Int) throws(Violation) {
        let outcome = try run([1], between: [])
        for lengths in [[stream.count], pieces] {
            let other = try run(lengths, between: outcome.positions)
            guard other == outcome || isAtLimit(outcome, other) else {
                throw Violation("byte by byte: \(outcome)\nin pieces of \(lengths): \(other)")
            }
        }
        var start = 0
        for (index, record) in outcome.records.enumerated() {
            try check(record, index, stream[start..<outcome.positions[index]])
            start = outcome.positions[index]
        }
        if let first = outcome.positions.first { try checkExcess(behind: first) }
        try checkCut(stream.prefix(cut % max(1, outcome.positions.first ?? stream.count)))
    }

    private func isHEAD(_ index: Int) -> Bool { methods >> (index % 8) & 1 != 0 }

    /// What stands around chunks and in trailers is weighed once in each piece: whether a few bytes are too many, or are
    /// found wrong before that, depends on the pieces.
    private func isAtLimit(_ one: Outcome, _ other: Outcome) -> Bool {
        [one, other].contains { outcome in
            ["more around its chunks than in them", "trailer fields over the limit"].contains {
                outcome.complaint?.contains($0) == true
            }
        }
    }
}

// MARK: - One run

extension HTTPResponseInvariants {
    /// Sends the stream in pieces of these lengths in turn, cut at these positions too, and asks anew after each record.
    private func run(_ lengths: [Int], between positions: [Int]) throws(Violation) -> Outcome {
        let device = try HTTPEnd.device(limits)
        var outcome = Outcome()
        device.ask(isHEAD(0) ? .HEAD : .GET)
        var start = 0
        run: for position in positions.filter({ $0 < stream.count }) + [stream.count] {
            for (piece, end) in Array(stream[start..<position]).pieces(of: lengths) {
                device.receive(piece)
                guard device.records.count > outcome.positions.count else { continue }
                outcome.positions.append(start + end)
                if try note(device, &outcome).isLast { break run }
                device.ask(isHEAD(outcome.positions.count) ? .HEAD : .GET)
            }
            start = position
        }
        switch end {
        case .none: break
        case .closed: device.disconnect()
        case .broken: device.reset()
        }
        if device.records.count > outcome.positions.count {
            outcome.positions.append(stream.count)
            let record = try note(device, &outcome)
            guard end == .closed, record.isLast else { throw Violation("\(record) came with the end") }
        }
        outcome.records = device.records
        outcome.complaint = device.errors.first.map { "\($0)" }
        let complaints = device.errors.filter { !($0 is IOError) }
        guard complaints.count <= 1, complaints.allSatisfy({ $0 is UpstreamError }) else {
            throw Violation("errors: \(device.errors)")
        }
        return outcome
    }

    private func note(_ device: HTTPEnd, _ outcome: inout Outcome) throws(Violation) -> HTTPResponseRecord {
        guard device.records.count == outcome.positions.count, device.errors.isEmpty else {
            throw Violation("\(device.records.count) records for \(outcome.positions.count) requests, \(device.errors)")
        }
        return try HTTPResponseRecord(device.records[device.records.count - 1], within: limits)
    }
}

// MARK: - What comes of it

extension HTTPResponseInvariants {
    private func check(_ record: ByteBuffer, _ index: Int, _ bytes: ArraySlice<UInt8>) throws(Violation) {
        let response = try HTTPResponseRecord(record, within: limits)
        let isHEAD = isHEAD(index)
        var rest = bytes
        let wire = try WireMessage(finalResponseToHEAD: isHEAD, from: &rest)
        guard rest.isEmpty, wire.trailers.count == response.trailers.count else {
            throw Violation("\(response) was made of \(Array(bytes).quoted)")
        }
        try response.check(isOn: wire)
        if wire.framing == .untilEnd || wire.isLengthOverruled, !response.isLast {
            throw Violation("\(response) must be the last")
        }
        try response.checkGivingBack(toHEAD: isHEAD, inHTTP1_0: isHTTP1_0)
    }

    /// A response with something behind it is not to be trusted.
    private func checkExcess(behind position: Int) throws(Violation) {
        let device = try HTTPEnd.device(limits)
        device.ask(isHEAD(0) ? .HEAD : .GET)
        device.receive(stream.prefix(position) + [0x0A])
        device.disconnect()
        guard device.records.isEmpty, device.errors.count == 1 else {
            // A body that ends with the connection may end with anything.
            guard end == .closed, position == stream.count else {
                throw Violation("\(device.records.count) records in spite of excess bytes, \(device.errors)")
            }
            return
        }
    }

    /// A response that is cut short is not passed on, unless its end is that of the connection; none is when that breaks.
    private func checkCut(_ bytes: ArraySlice<UInt8>) throws(Violation) {
        for isReset in [false, true] {
            let device = try HTTPEnd.device(limits)
            device.ask(isHEAD(0) ? .HEAD : .GET)
            device.receive(bytes)
            if isReset { device.reset() } else { device.disconnect() }
            guard let record = device.records.first else { continue }
            guard !isReset, device.records.count == 1 else {
                throw Violation("a response that was cut short: \(Array(bytes).quoted)")
            }
            var rest = bytes
            let wire = try WireMessage(finalResponseToHEAD: isHEAD(0), from: &rest)
            try HTTPResponseRecord(record, within: limits).check(isOn: wire)
            guard wire.framing == .untilEnd else {
                throw Violation("a response that was cut short: \(Array(bytes).quoted)")
            }
        }
    }
}

extension WireMessage {
    /// Takes one response and what stands in front of it.
    fileprivate init(finalResponseToHEAD isHEAD: Bool, from bytes: inout ArraySlice<UInt8>) throws(Violation) {
        repeat { self = try WireMessage(.deviceResponse(toHEAD: isHEAD), from: &bytes) } while (status ?? 200) < 200
    }
}

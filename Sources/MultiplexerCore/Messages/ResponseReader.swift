/// Tells what the device's bytes are: a response, noise, damage, or nothing that can be read.
///
/// A value that measures, and owns no byte: whoever runs it keeps the stream's unread bytes, asks
/// ``next(in:respondingTo:isSilent:)`` again and again, and cuts off what each ``Reading`` names. It reads no clock: it
/// says that it ``awaitsSilence``, and is told with `isSilent` that no byte came for a while.
///
/// Where responses carry a transaction id the header tells them apart. Elsewhere a response is the answer because it is the
/// only one that came since the request was sent: what began before, or comes twice, is never given to anyone.
package struct ResponseReader: Sendable {
    private let framing: any Framing
    private let carriesTransactionIDs: Bool
    private let rules: any MessageRules
    private var state = State.reading
    /// The request that was sent last: what comes when none is awaited may be its answer again.
    private var lastSent: Request?
    /// How many of the unread bytes came before the last request was sent.
    package private(set) var earlyBytes = 0
    /// Whether a silence tells what the unread bytes are.
    package private(set) var awaitsSilence = false

    /// What unread bytes begin with.
    package enum Reading: Hashable, Sendable {
        /// A message of this many bytes, which the core judges.
        case message(Int)
        /// This many bytes that are no message.
        case noise(Int)
        /// An answer that is damaged; nothing of the unread bytes is of any use.
        case damage(ResponseDamage)
        /// Something that only a new connection can follow.
        case unreadable(FramingError)
    }

    private enum State {
        /// Exits: adrift, ended.
        case reading
        /// More noise came than can stand around frames: what follows may be the middle of one. Exits: reading.
        case adrift
        /// Nothing that follows can be told apart.
        case ended
    }

    /// A surplus in a whole frame is passed on below this length: from here on it could hold another answer.
    private static let shortestResponse = 8
    /// The longest noise that is kept to look for frames in it.
    private static let noiseLimit = 512

    /// A reader of a connection on which nothing has come yet.
    package init(_ framing: any Framing, _ rules: any MessageRules) {
        self.framing = framing
        carriesTransactionIDs = framing.carriesTransactionIDs
        self.rules = rules
    }

    /// Whether nothing further is to be read from this connection.
    package var hasEnded: Bool { state == .ended }

    /// A request is being sent while this many bytes are unread: none of them can begin its answer.
    ///
    /// Where the wire has ids, it does not matter which one.
    package mutating func requestSent(_ request: Request?, unread: Int) {
        lastSent = request
        earlyBytes = unread
    }

    /// Tells what the unread bytes begin with, at the end of a read or of a silence.
    ///
    /// - Parameters:
    ///   - bytes: All that came and was not yet cut off.
    ///   - request: The request that the device is to answer next, where the wire has no ids.
    ///   - isSilent: Whether no byte came for as long as the silence lasts that tells frames apart.
    /// - Returns: Nil when more bytes are needed to tell.
    package mutating func next(
        in bytes: Span<UInt8>,
        respondingTo request: Request?,
        isSilent: Bool = false
    ) -> Reading? {
        awaitsSilence = false
        if state == .adrift {
            guard isSilent else { return drift(bytes) }
            state = .reading
        }
        guard state == .reading, !bytes.isEmpty else { return nil }
        let reading: Reading?
        do throws(FramingError) {
            reading = try read(bytes, respondingTo: request, isSilent: isSilent)
        } catch {
            reading = .unreadable(error)
        }
        switch reading {
        case .message(let length), .noise(let length): earlyBytes = max(earlyBytes - length, 0)
        case .damage(let damage):
            earlyBytes = 0
            if !damage.isInStep { state = .ended }
        case .unreadable: state = .ended
        case nil: break
        }
        return reading
    }

    private mutating func read(
        _ bytes: Span<UInt8>,
        respondingTo request: Request?,
        isSilent: Bool
    ) throws(FramingError) -> Reading? {
        guard !carriesTransactionIDs else { return try measure(bytes, respondingTo: nil) }
        let sought = SoughtResponse(
            request: request ?? lastSent,
            isAwaited: request?.expectsResponse == true,
            rules: rules,
            earlyBytes: earlyBytes,
            isSilent: isSilent
        )
        guard let finding = framing.findResponse(in: bytes, sought) else {
            return try readInOrder(bytes, respondingTo: request)
        }
        return try read(finding, in: bytes, sought)
    }
}

// MARK: - Frames that follow one another

extension ResponseReader {
    /// Measures a frame by its header, and the response in it by its content: damage where the two differ too much.
    ///
    /// Mutating, though it changes nothing: else each call would copy the reader.
    private mutating func measure(_ bytes: Span<UInt8>, respondingTo request: Request?) throws(FramingError) -> Reading?
    {
        guard let announced = try framing.frameLength(in: bytes, .response, respondingTo: request) else { return nil }
        let isWhole = announced <= bytes.count
        let frame = bytes.extracting(..<min(announced, bytes.count))
        guard let content = framing.contentLength(ofResponse: frame), content != announced else {
            return isWhole ? .message(announced) : nil
        }
        if isWhole {
            // What follows a frame that is too short may be its rest.
            guard content < announced else { return damage(announced, content, in: frame, announced == bytes.count) }
            guard announced - content < Self.shortestResponse else { return damage(announced, content, in: frame) }
            return .message(announced)
        }
        // The rest would have come along; what comes instead is the next answer.
        return content <= bytes.count ? damage(announced, content, in: frame) : nil
    }

    private func damage(
        _ announced: Int,
        _ content: Int,
        in frame: Span<UInt8>,
        _ isInStep: Bool = false
    ) -> Reading {
        let envelope = framing.envelope(of: frame)
        let header = envelope.message.lowerBound
        return .damage(
            ResponseDamage(
                transactionID: envelope.transactionID,
                .length(announced: announced - header, content: content - header),
                isInStep: isInStep
            )
        )
    }

    /// Reads where order alone tells responses apart: there must be one, and nothing after it that is not of another kind.
    private mutating func readInOrder(
        _ bytes: Span<UInt8>,
        respondingTo request: Request?
    ) throws(FramingError) -> Reading? {
        let first = try measure(bytes, respondingTo: request)
        guard let first, request?.expectsResponse == true else { return first }
        if case .message(let length) = first, isUnsolicited(bytes.extracting(..<length)) { return first }
        guard earlyBytes == 0 else { throw .moreThanAsked }
        guard case .message(var end) = first else { return first }
        while case .message(let length)? = try measure(bytes.extracting(end...), respondingTo: request) {
            guard isUnsolicited(bytes.extracting(end..<end + length)) else { throw .moreThanAsked }
            end += length
        }
        guard end == bytes.count || rules.deviceMayInitiate else { throw .moreThanAsked }
        return first
    }

    private func isUnsolicited(_ frame: Span<UInt8>) -> Bool {
        rules.deviceMayInitiate && rules.response(frame.extracting(framing.envelope(of: frame).message)).isUnsolicited
    }
}

// MARK: - Frames among noise

extension ResponseReader {
    private mutating func read(
        _ finding: ResponseFinding,
        in bytes: Span<UInt8>,
        _ sought: SoughtResponse
    ) throws(FramingError) -> Reading? {
        switch finding {
        case .frame(let length):
            guard sought.isAwaited else { return .message(length) }
            guard earlyBytes == 0, !containsAnother(bytes.extracting(length...), sought) else { throw .moreThanAsked }
            return .message(length)
        case .noise(let length):
            return .noise(length)
        case .damage(let cause):
            return .damage(ResponseDamage(cause, isInStep: true))
        case .open(let silenceTells):
            guard bytes.count <= Self.noiseLimit else {
                state = .adrift
                return drift(bytes)
            }
            awaitsSilence = silenceTells
            return nil
        }
    }

    /// Whether a second answer follows the first one, so that neither is to be trusted.
    private func containsAnother(_ bytes: Span<UInt8>, _ sought: SoughtResponse) -> Bool {
        var sought = sought
        sought.isSilent = false
        var begin = 0
        while begin < bytes.count {
            switch framing.findResponse(in: bytes.extracting(begin...), sought) {
            case .frame: return true
            case .noise(let length): begin += length
            case .damage, .open, nil: return false
            }
        }
        return false
    }

    private mutating func drift(_ bytes: Span<UInt8>) -> Reading? {
        awaitsSilence = true
        return bytes.isEmpty ? nil : .noise(bytes.count)
    }
}

extension FramingError {
    /// Without ids any of several messages could be the answer: none is to be trusted.
    fileprivate static let moreThanAsked = FramingError("more than it was asked for")
}

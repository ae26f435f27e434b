import MultiplexerCore

/// Feeds a reader as a connection does: the device's bytes read by read, silences, and requests.
struct ReaderFeeding {
    private var reader: ResponseReader
    private let framing: any Framing
    private let rules: any MessageRules
    private(set) var unread: [UInt8] = []
    /// The request in flight, where the wire has no ids.
    private(set) var awaited: Request?

    /// What became of bytes, with the bytes.
    enum Outcome: Equatable {
        case message([UInt8])
        case noise([UInt8])
        case damage(ResponseDamage)
        case unreadable(String)
    }

    init(_ spoken: ApplicationProtocol) {
        framing = spoken.framing
        rules = spoken.messageRules
        reader = ResponseReader(framing, rules)
    }

    /// A feeding in which the request with this message has been sent.
    init(_ spoken: ApplicationProtocol, asking message: [UInt8]) {
        self.init(spoken)
        ask(message)
    }

    var awaitsSilence: Bool { reader.awaitsSilence }
    var hasEnded: Bool { reader.hasEnded }

    mutating func ask(_ message: [UInt8]) {
        awaited = framing.carriesTransactionIDs ? nil : rules.request(message)
        reader.requestSent(awaited, unread: unread.count)
    }

    mutating func receive(_ bytes: some Sequence<UInt8>) -> [Outcome] {
        unread += bytes
        return read(isSilent: false)
    }

    /// Bytes that come in reads of these sizes in turn, and a silence at the end.
    mutating func receive(_ bytes: [UInt8], inReadsOf size: Int) -> [Outcome] {
        var outcomes: [Outcome] = []
        for begin in stride(from: 0, to: bytes.count, by: size) {
            outcomes += receive(bytes[begin..<min(begin + size, bytes.count)])
        }
        return outcomes + fallSilent()
    }

    /// Only where one is awaited.
    mutating func fallSilent() -> [Outcome] { reader.awaitsSilence ? read(isSilent: true) : [] }

    private mutating func read(isSilent: Bool) -> [Outcome] {
        var outcomes: [Outcome] = []
        while let reading = next(isSilent: isSilent) {
            switch reading {
            case .message(let length):
                outcomes.append(.message(cut(length)))
                awaited = nil
            case .noise(let length):
                outcomes.append(.noise(cut(length)))
            case .damage(let damage):
                unread = []
                outcomes.append(.damage(damage))
                awaited = nil
            case .unreadable(let error):
                unread = []
                outcomes.append(.unreadable("\(error)"))
            }
        }
        return outcomes
    }

    private mutating func next(isSilent: Bool) -> ResponseReader.Reading? {
        let bytes = unread
        return reader.next(in: bytes.span, respondingTo: awaited, isSilent: isSilent)
    }

    private mutating func cut(_ length: Int) -> [UInt8] {
        defer { unread.removeFirst(length) }
        return Array(unread.prefix(length))
    }
}

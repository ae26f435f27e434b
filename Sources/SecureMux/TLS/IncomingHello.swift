import NIOCore

/// What a client has sent of its ClientHello, kept until that is whole.
///
/// OpenSSL takes 50 KiB for a handshake, and 175 more for a message whose first bytes announce 128. So it hears of a client
/// when the whole hello is there, and never of one that is longer than any client has reason for.
///
/// ```
///  16 03 01 <length>  01 <length> ...     16 03 01 <length>  ...
///  record             message             record             its rest
/// ```
struct IncomingHello {
    enum State {
        case incomplete
        case whole
        /// It is longer than we keep, or announces so.
        case tooLarge
        /// It is no ClientHello in records of TLS: OpenSSL knows best what to say.
        case unexpected
    }

    /// What a ClientHello may take with its records: eight times as much as those with keys for the time after quantum
    /// computers.
    static let limit = 16 << 10

    /// What OpenSSL says to a hello that is too large for it: fatal, illegal_parameter.
    static let alert: [UInt8] = [0x15, 3, 3, 0, 2, 2, 47]

    private(set) var bytes = ByteBuffer()
    private(set) var state = State.incomplete

    /// Whether the first bytes are none of TLS.
    private(set) var isForeign = false
    /// How many bytes of the current record's header have come.
    private var headerBytes = 0
    /// How many bytes of the current record are still to come.
    private var recordRest = 0
    /// How many bytes of the message have come.
    private var messageBytes = 0
    private var messageLength = 0

    /// How many bytes tell what else it is: a Modbus header has as many up to its unit.
    private static let tellingBytes = 6
    private static let recordHeader = 5
    private static let messageHeader = 4
    /// TLS 1.2 lets an encrypted record be this long (RFC 5246, section 6.2.3).
    private static let longestRecord = (16 << 10) + 2048

    /// Gives out the bytes, which are no longer kept.
    mutating func takeBytes() -> ByteBuffer {
        defer { bytes = ByteBuffer() }
        return bytes
    }

    /// Bytes came.
    mutating func append(_ more: ByteBuffer) {
        for byte in more.readableBytesView where state == .incomplete && !isForeign { scan(byte) }
        guard state != .tooLarge else { return bytes = ByteBuffer() }
        // A copy: a channel makes itself another buffer for each one that is not given back at once, and keeps them.
        bytes.writeImmutableBuffer(more)
        if isForeign, bytes.readableBytes >= Self.tellingBytes { state = .unexpected }
        if state == .incomplete, bytes.readableBytes >= Self.limit {
            state = .tooLarge
            bytes = ByteBuffer()
        }
    }

    private mutating func scan(_ byte: UInt8) {
        if headerBytes < Self.recordHeader {
            scanHeader(byte)
        } else {
            recordRest -= 1
            scanMessage(byte)
        }
        // An empty record has no more than its header.
        if headerBytes == Self.recordHeader, recordRest == 0 { headerBytes = 0 }
    }

    private mutating func scanHeader(_ byte: UInt8) {
        switch headerBytes {
        case 0 where byte != 0x16, 1 where byte != 3: isForeign = true
        case 3: recordRest = Int(byte) << 8
        case 4: recordRest |= Int(byte)
        default: break
        }
        headerBytes += 1
        if recordRest > Self.longestRecord { state = .unexpected }
    }

    private mutating func scanMessage(_ byte: UInt8) {
        switch messageBytes {
        case 0 where byte != 1: state = .unexpected
        case 1...3: messageLength = messageLength << 8 | Int(byte)
        default: break
        }
        messageBytes += 1
        guard messageBytes >= Self.messageHeader else { return }
        if messageLength > Self.limit { state = .tooLarge }
        if messageBytes == Self.messageHeader + messageLength { state = .whole }
    }
}

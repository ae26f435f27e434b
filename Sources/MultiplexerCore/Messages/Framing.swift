/// Which way a frame travels.
package enum Direction: Sendable {
    /// From a client to the device.
    case request
    /// From the device to a client.
    case response
}

/// How messages of an application protocol are cut out of a byte stream, and put into one.
///
/// A framing measures: it neither copies, blocks nor keeps state. A frame is a message and what is put around it to send it
/// over a stream: the **envelope**. Protocols that share their messages and differ in the envelope (Modbus/TCP and Modbus
/// RTU) can so be translated into each other.
package protocol Framing: Hashable, Sendable {
    /// Whether a frame carries a transaction id that its response repeats, so that responses can be told apart.
    var carriesTransactionIDs: Bool { get }

    /// Measures the frame that `bytes` begin with.
    ///
    /// Limits are checked on the header, before a body is awaited.
    ///
    /// - Parameters:
    ///   - bytes: What the stream brought and was not yet cut off.
    ///   - direction: Which way the bytes travel.
    ///   - request: The request that a response is awaited for, for wires where its length depends on it.
    /// - Returns: The frame's length in bytes, which may be more than there are yet; nil when more are needed to tell.
    /// - Throws: ``FramingError`` when no frame can begin like this; the stream cannot be read any further.
    func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int?

    /// How long a response is, its envelope included, by what its message says of itself.
    ///
    /// - Parameter frame: The frame, or its beginning.
    /// - Returns: Nil where that beginning is too short to tell, and where the message does not say.
    func contentLength(ofResponse frame: Span<UInt8>) -> Int?

    /// Looks for a response where bytes may come that belong to no frame, as on a serial line.
    ///
    /// - Returns: Nil where none may come: then ``frameLength(in:_:respondingTo:)`` tells all.
    func findResponse(in bytes: Span<UInt8>, _ sought: SoughtResponse) -> ResponseFinding?

    /// What the envelope of a whole frame says.
    func envelope(of frame: Span<UInt8>) -> Envelope

    /// How many bytes of a frame are to be left free in front of its message for ``seal(_:transactionID:)``.
    ///
    /// This and sealing have no default: a framing that forgot them would send bare messages, and compile.
    var headerRoom: Int { get }

    /// Makes a frame of a message, in place: it is put together once and never copied.
    ///
    /// - Parameters:
    ///   - frame: As many bytes as ``headerRoom`` says, whatever they are, and the message.
    ///   - transactionID: The id to write; ignored where the wire has none.
    func seal(_ frame: inout [UInt8], transactionID: UInt16)
}

extension Framing {
    /// Most messages have one length only.
    package func contentLength(ofResponse frame: Span<UInt8>) -> Int? { nil }

    /// Most streams hold frames alone.
    package func findResponse(in bytes: Span<UInt8>, _ sought: SoughtResponse) -> ResponseFinding? { nil }

    /// Appends the frame that carries `message`.
    package func seal(_ message: Span<UInt8>, transactionID: UInt16, into output: inout [UInt8]) {
        var frame = [UInt8](repeating: 0, count: headerRoom)
        frame.append(contentsOf: message)
        seal(&frame, transactionID: transactionID)
        output += frame
    }

    /// Whether a device that reads this framing sees one request in these bytes, and all of them in it.
    ///
    /// What a header on one wire delimits may look like two requests on another that has none.
    package func isOneRequest(_ bytes: [UInt8]) -> Bool { isOneFrame(bytes, .request) }

    /// Whether a client that reads this framing sees one response in these bytes, and all of them in it.
    package func isOneResponse(_ bytes: [UInt8]) -> Bool { isOneFrame(bytes, .response) }

    private func isOneFrame(_ bytes: [UInt8], _ direction: Direction) -> Bool {
        (try? frameLength(in: bytes.span, direction, respondingTo: nil)) == bytes.count
    }
}

/// What surrounds a message on the wire.
package struct Envelope: Hashable, Sendable {
    /// The transaction id, or 0 where the wire has none.
    package var transactionID: UInt16
    /// Where in the frame the message stands.
    package var message: Range<Int>

    /// An envelope with this id around this part of the frame.
    package init(transactionID: UInt16 = 0, message: Range<Int>) {
        self.transactionID = transactionID
        self.message = message
    }
}

/// Why bytes cannot be the beginning of a frame.
package struct FramingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in words that fit after "the client sent ".
    package let description: String
    /// Whether a frame was damaged on its way, on a wire where the next one begins after a silence.
    package let isDamage: Bool

    /// An error that says this.
    package init(_ description: String, isDamage: Bool = false) {
        self.description = description
        self.isDamage = isDamage
    }
}

extension Array where Element == UInt8 {
    /// Appends all of `bytes`.
    package mutating func append(contentsOf bytes: borrowing Span<UInt8>) {
        bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}

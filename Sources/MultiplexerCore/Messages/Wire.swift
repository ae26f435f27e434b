/// How one side speaks: what stands around its messages, and what they say.
///
/// A value that never changes. It is a class, since a client, the driver and a link each hold one and ask it several times
/// for a request: to copy both of its parts each time takes hundreds of instructions.
package final class Wire: Sendable {
    private let framing: any Framing
    private let rules: any MessageRules
    /// What a frame begins with, to be overwritten when it is sealed.
    private let head: [UInt8]
    /// Whether frames carry transaction ids.
    package let carriesTransactionIDs: Bool

    /// The wire of this framing and these rules.
    package init(_ framing: any Framing, _ rules: any MessageRules) {
        self.framing = framing
        self.rules = rules
        head = [UInt8](repeating: 0, count: framing.headerRoom)
        carriesTransactionIDs = framing.carriesTransactionIDs
    }

    /// Whether a client that has closed its sending side may still wait for responses.
    package var allowsHalfClosure: Bool { rules.allowsHalfClosure }

    /// Whether messages stand in another envelope on another wire, so that they have to be put into it.
    package func isTranslated(to other: Wire) -> Bool { type(of: framing) != type(of: other.framing) }
}

// MARK: - Taking frames apart

extension Wire {
    /// The length of the first frame of a client; nil if that needs more bytes.
    package func requestLength(in bytes: Span<UInt8>) throws(FramingError) -> Int? {
        try framing.frameLength(in: bytes, .request, respondingTo: nil)
    }

    /// Where the message stands in a frame, and under which id.
    package func envelope(of frame: Span<UInt8>) -> Envelope { framing.envelope(of: frame) }

    /// Why a client's request is not for the device: it is not whole, or the device would not read it as one.
    ///
    /// Where the device speaks another wire the request is put together in `frame`.
    package func refusal(of request: Span<UInt8>, to device: Wire?, _ frame: inout [UInt8]) -> RequestRefusal? {
        if let refusal = rules.refusal(of: request) { return refusal }
        guard let device else { return nil }
        requestForDevice(request, speaking: device, transactionID: 0, into: &frame)
        return device.framing.isOneRequest(frame) ? nil : .wire
    }

    /// What the core needs to know of a request.
    package func request(_ message: Span<UInt8>) -> Request { rules.request(message) }

    /// What a request asks for, in a few words for the log.
    package func summary(ofRequest message: Span<UInt8>) -> String { rules.summary(ofRequest: message) }

    /// What the core needs to know of a response in its frame.
    package func response(in frame: Span<UInt8>) -> Response {
        let envelope = framing.envelope(of: frame)
        var response = rules.response(frame.extracting(envelope.message))
        response.transactionID = envelope.transactionID
        return response
    }

    /// What a response in its frame says of its request's failure, in a few words for the log; nil if it does not.
    package func failure(in frame: Span<UInt8>) -> String? {
        rules.failure(in: frame.extracting(framing.envelope(of: frame).message))
    }

    /// A reader of what a device says that speaks like this.
    package var responseReader: ResponseReader { ResponseReader(framing, rules) }
}

// MARK: - Putting frames together

extension Wire {
    /// Makes `frame` the one in which a device gets a request of a client that speaks like this.
    package func requestForDevice(
        _ request: Span<UInt8>,
        speaking device: Wire,
        transactionID: UInt16,
        into frame: inout [UInt8]
    ) {
        device.begin(&frame)
        rules.requestForDevice(request, into: &frame)
        device.framing.seal(&frame, transactionID: transactionID)
    }

    /// Makes `frame` the one in which a client that speaks like this gets a device's response to its request.
    ///
    /// - Parameters:
    ///   - response: The frame as the device sent it.
    ///   - device: How the device speaks.
    ///   - request: The message that it answers.
    ///   - transactionID: The client's own id of the request.
    ///   - isTranslated: Whether the device speaks another wire.
    ///   - frame: What is replaced.
    /// - Returns: False where that wire is another and the client would not read the frame as one response.
    package func responseForClient(
        _ response: Span<UInt8>,
        of device: Wire,
        respondingTo request: Span<UInt8>,
        transactionID: UInt16,
        isTranslated: Bool,
        into frame: inout [UInt8]
    ) -> Bool {
        let message = response.extracting(device.framing.envelope(of: response).message)
        begin(&frame)
        rules.responseForClient(message, respondingTo: request, into: &frame)
        framing.seal(&frame, transactionID: transactionID)
        return !isTranslated || framing.isOneResponse(frame)
    }

    /// Makes `frame` the one that tells a client that its request failed; false where there is none.
    package func respond(
        toFailed request: Span<UInt8>,
        _ failure: Failure,
        transactionID: UInt16,
        into frame: inout [UInt8]
    ) -> Bool {
        seal(&frame, transactionID) { rules.respond(toFailed: request, failure, into: &$0) }
    }

    /// Makes `frame` the one that tells a client that its request was refused; false where there is none.
    package func respond(
        toRefused request: Span<UInt8>,
        _ refusal: RequestRefusal,
        transactionID: UInt16,
        into frame: inout [UInt8]
    ) -> Bool {
        seal(&frame, transactionID) { rules.respond(toRefused: request, refusal, into: &$0) }
    }

    /// Makes `frame` the one of what `append` appends to it; false where it appends nothing.
    private func seal(_ frame: inout [UInt8], _ transactionID: UInt16, _ append: (inout [UInt8]) -> Bool) -> Bool {
        begin(&frame)
        guard append(&frame) else { return false }
        framing.seal(&frame, transactionID: transactionID)
        return true
    }

    private func begin(_ frame: inout [UInt8]) {
        frame.removeAll(keepingCapacity: frame.capacity <= Self.keptCapacity)
        frame.append(contentsOf: head)
    }

    /// After a large message the memory is given back.
    private static let keptCapacity = 4096
}

/// What ISO 8583 messages say: their message type indicator, and nothing of their fields.
///
/// Where no MTI is found, messages are taken for answers by turn.
package struct ISO8583MessageRules: MessageRules {
    /// Where in a frame the ISO message begins: after header bytes and length.
    package let messageOffset: Int

    /// Rules for frames in which the ISO message begins at this offset.
    package init(messageOffset: Int) {
        self.messageOffset = messageOffset
    }

    /// A client may close its sending side and wait.
    package var allowsHalfClosure: Bool { true }

    /// Hosts test the line, announce keys and ask for reversals.
    package var deviceMayInitiate: Bool { true }

    /// An answer repeats version and class, and has the function above.
    ///
    /// Heartbeats, which are empty, have none.
    package func request(_ message: Span<UInt8>) -> Request {
        guard let type = messageType(of: message) else {
            return Request(correlation: .none, mayWrite: true, expectsResponse: message.count > messageOffset)
        }
        return Request(
            correlation: type.correlation,
            mayWrite: true,
            expectsResponse: type.expectsResponse,
            subject: Request.Subject(hashing: message)
        )
    }

    /// Such as "MTI 0200, 123 bytes"; the bytes are those of the ISO message.
    package func summary(ofRequest message: Span<UInt8>) -> String {
        let bytes = "\(max(0, message.count - messageOffset)) bytes"
        return messageType(of: message).map { "MTI \($0), \(bytes)" } ?? bytes
    }

    /// Requests of the host, its heartbeats, and acknowledgements for which nobody waits are unsolicited.
    package func response(_ message: Span<UInt8>) -> Response {
        guard let type = messageType(of: message) else {
            return Response(correlation: .none, isUnsolicited: message.count <= messageOffset)
        }
        return Response(correlation: type.correlation, isUnsolicited: type.begins || type.isIdleAcknowledgement)
    }

    /// There is none that every host's clients would understand.
    package func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        false
    }

    /// The message's MTI, if it has one.
    package func messageType(of message: Span<UInt8>) -> ISO8583MessageType? {
        ISO8583MessageType(in: message, at: messageOffset)
    }
}

extension ISO8583MessageType {
    /// The same for the two messages of an exchange, never ``Correlation/none``.
    fileprivate var correlation: Correlation {
        Correlation(rawValue: 1 << 12 | UInt64(version) << 8 | UInt64(messageClass) << 4 | UInt64(function | 1))
    }

    /// It acknowledges a notification of an edition that has no such acknowledgements.
    fileprivate var isIdleAcknowledgement: Bool { function == 5 && version < 2 }
}

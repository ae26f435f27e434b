/// What the core knows of a request; its bytes stay with whoever runs the core.
package struct Request: Hashable, Sendable {
    // The larger ones first: it is copied on its way, and takes a third less so.

    /// What its response must repeat.
    package var correlation: Correlation
    /// What it reads, where that is all it does and there is an answer: equal reads may share it.
    ///
    /// All that is given to the core may be asked for by whoever asked; so equal reads have an equal right to the answer.
    package let read: Read?
    /// The unit of the device that it concerns; nil where it may concern any or all.
    package var unit: UInt8?
    /// Whether the request may change the device, so that it must never be sent twice.
    package var mayWrite: Bool
    /// Whether the device answers it at all; it does not answer what it takes for a broadcast.
    package let expectsResponse: Bool
    /// Whether nothing else may be in flight beside it, since nobody can tell what the device makes of it.
    package var goesAlone: Bool
    /// What it is about; nil where nothing tells.
    package var subject: Subject?
    /// What its answer says beside that.
    package var answer: Content
    private var answerLength: UInt16?

    /// A request that is answered by a message with this correlation.
    package init(
        correlation: Correlation,
        mayWrite: Bool,
        expectsResponse: Bool = true,
        responseLength: Int? = nil,
        unit: UInt8? = nil,
        read: Read? = nil,
        answer: Content = .any,
        goesAlone: Bool = false,
        subject: Subject? = nil
    ) {
        self.correlation = correlation
        self.mayWrite = mayWrite
        self.expectsResponse = expectsResponse
        answerLength = responseLength.map { UInt16(clamping: $0) }
        self.unit = unit
        self.read = expectsResponse ? read : nil
        self.answer = answer
        self.goesAlone = goesAlone
        self.subject = subject
    }

    /// How long the message is that answers it, unless with an error; nil where the request does not tell.
    package var responseLength: Int? { answerLength.map { Int($0) } }

    /// All that tells one read from another: for Modbus unit, function, address and quantity.
    package struct Read: RawRepresentable, Hashable, Sendable {
        /// What tells it apart, packed into one.
        package let rawValue: UInt64

        /// The read of this packed value.
        package init(rawValue: UInt64) {
            self.rawValue = rawValue
        }
    }
}

extension Request {
    /// What a request is about, apart from the values it writes: for Modbus unit, function and range, for HTTP method and
    /// target.
    ///
    /// The device's behaviour is remembered by it.
    package struct Subject: RawRepresentable, Hashable, Sendable {
        /// What tells it apart, packed or hashed into one.
        package let rawValue: UInt64

        /// The subject of this packed value.
        package init(rawValue: UInt64) {
            self.rawValue = rawValue
        }

        /// The subject that is all of these bytes, by FNV-1a.
        package init(hashing bytes: Span<UInt8>) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
            rawValue = hash
        }
    }
}

/// What a response says beside its correlation, as far as its request tells it beforehand.
package enum Content: Hashable, Sendable {
    /// Nothing that could be checked.
    case any
    /// Values that take this many bytes.
    case values(bytes: Int)
    /// What was written, packed into one.
    case echo(UInt64)
}

/// What the core knows of a response.
package struct Response: Hashable, Sendable {
    /// The transaction id that it repeats; 0 where the wire has none.
    package var transactionID: UInt16
    /// What else it repeats of its request.
    package var correlation: Correlation
    /// Whether it says of itself that it answers nothing: the device began this exchange.
    package var isUnsolicited: Bool
    /// Whether the device takes no further request on this connection.
    package var isLast: Bool
    /// Whether it says that the device could not do what it was asked for.
    package var isFailure: Bool
    /// What it says.
    package var content: Content
    /// How many bytes it has more than its content.
    package var surplus: Int

    /// A response with this id and correlation.
    package init(
        transactionID: UInt16 = 0,
        correlation: Correlation,
        isUnsolicited: Bool = false,
        isLast: Bool = false,
        isFailure: Bool = false,
        content: Content = .any,
        surplus: Int = 0
    ) {
        self.transactionID = transactionID
        self.correlation = correlation
        self.isUnsolicited = isUnsolicited
        self.isLast = isLast
        self.isFailure = isFailure
        self.content = content
        self.surplus = surplus
    }
}

/// What a response repeats of its request, beside a transaction id: for Modbus the unit and the function.
package struct Correlation: RawRepresentable, Hashable, Sendable {
    /// The repeated values packed into one.
    package let rawValue: UInt64

    /// A correlation of this packed value.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The protocol repeats nothing.
    package static let none = Correlation(rawValue: 0)
}

extension Correlation {
    /// That of a Modbus message; a unit of 0 where units are not checked.
    package init(unit: UInt8, function: UInt8) {
        rawValue = UInt64(unit) << 8 | UInt64(function)
    }

    /// The unit of a Modbus message.
    package var unit: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
    /// The function of a Modbus message, without the exception bit.
    package var function: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
}

/// Why a request ends without a response.
package enum Failure: Hashable, Sendable, CaseIterable {
    /// There is no connection to the device: connecting failed, or the next attempt is being waited for.
    case unreachable
    /// The request was sent and the device did not answer it in time.
    case unanswered
    /// The request was sent and its answer was lost with the connection, or came damaged.
    case connectionLost
    /// The request's time ran out before its turn came, or while the device worked on it.
    case expired
    /// The program is shutting down.
    case draining
    /// The device ended its connection each time that it was asked this, so that it is not asked again for a while.
    case heldBack
}

/// A client, for as long as the core lives: ids are never used again.
///
/// Its lower half is a small number, the slot, which no other client has at the same time: what is kept of a client is found
/// there without hashing.
package struct ClientID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number behind the id.
    package let rawValue: UInt64

    /// The id with this number.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The id of the client that takes a slot, so many having come before it.
    package init(slot: Int, serial: UInt32) {
        rawValue = UInt64(serial) << 32 | UInt64(UInt32(truncatingIfNeeded: slot))
    }

    /// The number that is used again when the client has left.
    package var slot: Int { Int(truncatingIfNeeded: rawValue & UInt64(UInt32.max)) }

    /// Orders clients by when they came.
    package static func < (left: ClientID, right: ClientID) -> Bool { left.rawValue < right.rawValue }
}

/// A request, from its arrival to the action that ends it; then the id may be used again.
package struct RequestID: RawRepresentable, Hashable, Sendable {
    /// The number behind the id.
    package let rawValue: UInt32

    /// The id with this number.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// One connection to the device, from the attempt to its end: its generation.
///
/// A late event of an old connection carries an old id and so cannot touch the new one.
package struct LinkID: RawRepresentable, Hashable, Sendable {
    /// The number behind the id.
    package let rawValue: UInt64

    /// The id with this number.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What a response says in addition to its correlation, as far as its request tells it beforehand.
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

/// What a response repeats of its request in addition to a transaction id: for Modbus the unit and the function.
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

/// What the core knows of a request; its bytes stay with whoever runs the core.
public struct Request: Hashable, Sendable {
    /// What its response must repeat.
    public var correlation: Correlation
    /// Whether the request may change the device, so that it must never be sent twice.
    public var mayWrite: Bool

    /// A request that is answered by a message with this correlation.
    public init(correlation: Correlation, mayWrite: Bool) {
        self.correlation = correlation
        self.mayWrite = mayWrite
    }
}

/// What the core knows of a response.
public struct Response: Hashable, Sendable {
    /// The transaction id that it repeats; 0 where the wire has none.
    public var transactionID: UInt16
    /// What else it repeats of its request.
    public var correlation: Correlation

    /// A response with this id and correlation.
    public init(transactionID: UInt16, correlation: Correlation) {
        self.transactionID = transactionID
        self.correlation = correlation
    }
}

/// What a response repeats of its request, beside a transaction id: for Modbus the unit and the function.
public struct Correlation: RawRepresentable, Hashable, Sendable {
    /// The repeated values packed into one.
    public let rawValue: UInt64

    /// A correlation of this packed value.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The protocol repeats nothing.
    public static let none = Correlation(rawValue: 0)
}

/// Why a request ends without a response.
public enum Failure: Hashable, Sendable, CaseIterable {
    /// There is no connection to the device: connecting failed, or the next attempt is being waited for.
    case unreachable
    /// The request was sent and the device did not answer it in time, or closed the connection.
    case unanswered
    /// The request's time ran out before its turn came, or while the device worked on it.
    case expired
    /// The program is shutting down.
    case draining
}

/// A client, for as long as the core lives: ids are never used again.
public struct ClientID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number behind the id.
    public let rawValue: UInt64

    /// The id with this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Orders clients by when they came.
    public static func < (left: ClientID, right: ClientID) -> Bool { left.rawValue < right.rawValue }
}

/// A request, from its arrival to the action that ends it; then the id may be used again.
public struct RequestID: RawRepresentable, Hashable, Sendable {
    /// The number behind the id.
    public let rawValue: UInt32

    /// The id with this number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// One connection to the device, from the attempt to its end: its generation.
///
/// A late event of an old connection carries an old id and so cannot touch the new one.
public struct LinkID: RawRepresentable, Hashable, Sendable {
    /// The number behind the id.
    public let rawValue: UInt64

    /// The id with this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

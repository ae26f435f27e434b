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

    /// The id of the client that takes `slot`, where `serial` clients came before it.
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

/// One connection to the device, from the attempt to its end: each has another one.
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

/// What is wrong with an answer that cannot be given to whoever asked.
package struct ResponseDamage: Hashable, Sendable {
    /// The transaction id of the request that it answers; 0 where the wire has none: then it answers the one in flight.
    package var transactionID: UInt16
    /// What is wrong.
    package var cause: Cause
    /// Whether the next message can be told from the remains of this one; else the connection is replaced.
    package var isInStep: Bool

    /// Damage to the answer with this id.
    package init(transactionID: UInt16 = 0, _ cause: Cause, isInStep: Bool) {
        self.transactionID = transactionID
        self.cause = cause
        self.isInStep = isInStep
    }

    /// A checksum that is wrong where nothing else is: the usual damage on a wire without ids.
    package static let checksum = ResponseDamage(.checksum, isInStep: true)

    /// What is wrong with an answer.
    package enum Cause: Hashable, Sendable {
        /// The checksum is not that of the bytes before it.
        case checksum
        /// The checksum is right, but its two bytes are in the wrong order.
        case reversedChecksum
        /// The byte count takes two bytes instead of one.
        case wideByteCount
        /// The header announces another length than the content has, both in bytes.
        case length(announced: Int, content: Int)
        /// It is whole and has the id of the request, but answers something else, for Modbus of another unit or function.
        case other(Correlation, expected: Correlation)
        /// It holds fewer bytes of values than were asked for.
        case tooFewValues(bytes: Int, expected: Int)
        /// It does not repeat what the request wrote.
        case echo
        /// It has more bytes than its content, which could be those of another answer that is awaited.
        case surplus(Int)
    }
}

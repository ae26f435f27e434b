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
    /// Whether nothing else may be in flight with it, since nobody can tell what the device makes of it.
    package var goesAlone: Bool
    /// What it is about; nil where nothing tells.
    package var subject: Subject?
    /// What its response says in addition.
    package var expectedContent: Content
    private var exactLength: UInt16?

    /// A request that is answered by a message with this correlation.
    package init(
        correlation: Correlation,
        mayWrite: Bool,
        expectsResponse: Bool = true,
        responseLength: Int? = nil,
        unit: UInt8? = nil,
        read: Read? = nil,
        expectedContent: Content = .any,
        goesAlone: Bool = false,
        subject: Subject? = nil
    ) {
        self.correlation = correlation
        self.mayWrite = mayWrite
        self.expectsResponse = expectsResponse
        exactLength = responseLength.map { UInt16(clamping: $0) }
        self.unit = unit
        self.read = expectsResponse ? read : nil
        self.expectedContent = expectedContent
        self.goesAlone = goesAlone
        self.subject = subject
    }

    /// How long the message is that answers it, unless with an error; nil where the request does not tell.
    package var responseLength: Int? { exactLength.map { Int($0) } }

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

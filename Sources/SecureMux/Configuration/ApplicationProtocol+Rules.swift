public import MultiplexerCore

extension ApplicationProtocol {
    /// This protocol for a device that does not keep to it as usual; nil leaves as it is what the protocol says.
    ///
    /// - Parameters:
    ///   - broadcast: Whether the device takes requests to its unit 0 for broadcasts.
    ///   - ignoresUnitIDs: Whether it answers as another unit than the one that was asked.
    ///   - ignoresTransactionIDs: Whether it does not repeat transaction ids.
    /// - Returns: The protocol as that device speaks it.
    /// - Throws: ``ConfigurationError`` when one is given that makes no difference to this protocol.
    public func adapted(
        broadcast: Bool? = nil,
        ignoresUnitIDs: Bool? = nil,
        ignoresTransactionIDs: Bool? = nil
    ) throws(ConfigurationError) -> ApplicationProtocol {
        var adapted = self
        if let broadcast {
            try requireModbus(for: "\(.broadcast, broadcast)")
            adapted = adapted.broadcasting(unit0: broadcast)
        }
        if let ignoresUnitIDs {
            try requireModbus(for: "\(.unitIDs)")
            if ignoresUnitIDs { adapted = adapted.ignoringUnits() }
        }
        if let ignoresTransactionIDs {
            guard let ignoring = adapted.ignoringTransactionIDs() else {
                throw ConfigurationError(
                    """
                    \(.transactionIDs) is of no use to \(name), which has none: leave it out, or choose modbus with \
                    \(.applicationProtocol)
                    """
                )
            }
            if ignoresTransactionIDs { adapted = ignoring }
        }
        return adapted
    }

    /// Refuses a setting that makes a difference to Modbus only.
    package func requireModbus(for setting: Sentence) throws(ConfigurationError) {
        guard messages == .modbus else {
            throw ConfigurationError(
                "\(setting) is of no use to \(name): leave it out, or choose a form of Modbus with \(.applicationProtocol)"
            )
        }
    }

    /// Whether its frames have transaction ids that are not looked at.
    var ignoresTransactionIDs: Bool { !framing.carriesTransactionIDs && ignoringTransactionIDs() != nil }
}

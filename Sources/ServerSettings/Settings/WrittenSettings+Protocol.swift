package import MultiplexerCore
package import SecureMux

/// What a device and its clients speak.
extension WrittenSettings {
    /// What clients speak whose listener says nothing else, with the format that was written; echo when none is named, as in the
    /// Go program.
    private func clientProtocol() throws(ConfigurationError) -> ApplicationProtocol {
        let named = try value(.applicationProtocol, Parse.applicationProtocol) ?? .echo
        return try broadcasting(try format().applied(to: named))
    }

    /// What the clients of a listener speak.
    package func clientProtocol(of listener: WrittenSettings) throws(ConfigurationError) -> ApplicationProtocol {
        let usual = try clientProtocol()
        guard let named = try listener.value(.clientProtocol, Parse.applicationProtocol), named.name != usual.name
        else {
            return usual
        }
        return try broadcasting(named)
    }

    /// What the device speaks.
    package func deviceProtocol() throws(ConfigurationError) -> ApplicationProtocol {
        let clients = try clientProtocol()
        let named = try value(.deviceProtocol, Parse.applicationProtocol)
        let device = named.map { $0.name == clients.name ? clients : $0 } ?? clients
        return try device.adapted(
            broadcast: try isOn(.broadcast),
            ignoresUnitIDs: try value(.unitIDs, Parse.isIgnored),
            ignoresTransactionIDs: try value(.transactionIDs, Parse.isIgnored)
        )
    }

    private func broadcasting(_ spoken: ApplicationProtocol) throws(ConfigurationError) -> ApplicationProtocol {
        try isOn(.broadcast).map(spoken.broadcasting(unit0:)) ?? spoken
    }

    /// How messages are told apart, as far as it is written.
    package func format() throws(ConfigurationError) -> MessageFormat {
        MessageFormat(
            delimiter: try value(.delimiter, Parse.delimiter),
            lengthBytes: try value(.lengthBytes, Parse.lengthBytes),
            lengthFormat: try value(.lengthFormat, Parse.lengthFormat),
            lengthOrder: try value(.lengthOrder, Parse.lengthOrder),
            lengthIncludesHeader: try isOn(.lengthIncludesHeader) ?? false,
            headerBytes: try value(.headerBytes, Parse.headerBytes),
            lengthAdds: try value(.lengthAdds, Parse.lengthAdds),
            maxMessage: try size(.maxMessage)
        )
    }

    /// What the device calls the units of a listener's clients, who speak `spoken`; nil where that is not known.
    package func unitMap(for spoken: ApplicationProtocol?) throws(ConfigurationError) -> UnitMap {
        let pairs = self[all: .unitMap]
        guard !pairs.isEmpty else { return UnitMap() }
        try spoken?.requireModbus(for: "\(.unitMap)")
        do {
            return try UnitMap(parsing: pairs.joined(separator: ","))
        } catch {
            throw ConfigurationError("\(.unitMap): \(error)")
        }
    }
}

public import MultiplexerCore

extension UnitMap {
    /// Reads pairs such as `1=0` or `1=0,2=7`: the client's unit id, then the device's.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        do {
            self.init(try Self.pairs(text))
        } catch {
            throw ConfigurationError(
                "'\(text)' is not a map of unit ids: \(error). "
                    + "Write 1=0 or 1=0,2=7: the clients' unit id, then the device's"
            )
        }
    }

    private static func pairs(_ text: String) throws(InvalidText) -> [UInt8: UInt8] {
        guard !text.isEmpty else { throw InvalidText("it is empty") }
        var units: [UInt8: UInt8] = [:]
        for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ids = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard ids.count == 2 else { throw InvalidText("'\(pair)' is not one unit id for another") }
            let (client, device) = (try unit(ids[0]), try unit(ids[1]))
            guard units.updateValue(device, forKey: client) == nil else {
                throw InvalidText("it names the clients' unit \(client) twice")
            }
        }
        return units
    }

    private static func unit(_ text: Substring) throws(InvalidText) -> UInt8 {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDecimalDigit), let unit = UInt8(text) else {
            throw InvalidText("'\(text)' is not a unit id, 0 to 255")
        }
        return unit
    }
}

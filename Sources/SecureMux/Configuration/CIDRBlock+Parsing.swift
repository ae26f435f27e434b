public import MultiplexerCore

extension CIDRBlock {
    /// Reads a block such as `192.168.1.0/24` or `fd00::/8`, or a single address.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        do {
            try self.init(text)
        } catch {
            throw ConfigurationError("'\(text)' is not an address block: \(error)")
        }
    }

    private init(_ text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parsing: parts[0]) else {
            throw InvalidText("'\(parts[0])' is no IP address; write 192.168.1.0/24, fd00::/8 or 192.168.1.7")
        }
        // Its prefix could be meant to count 32 bits or 128.
        if address.isIPv4, parts.count == 2, parts[0].contains(":") {
            throw InvalidText("it is IPv4 written as IPv6; write the IPv4 form, as in 192.168.1.0/24")
        }
        let bits = address.isIPv4 ? 32 : 128
        let prefix = parts.count == 2 ? parts[1] : "\(bits)"
        guard prefix.utf8.allSatisfy(\.isDecimalDigit), let length = Int(prefix), (0...bits).contains(length) else {
            throw InvalidText("the prefix length must be 0 to \(bits), it is '\(prefix)'")
        }
        guard let block = CIDRBlock(address, prefixLength: length) else {
            throw InvalidText(
                "bits behind the first \(length) are set; write \(parts[0]) alone for this one address, or clear them"
            )
        }
        self = block
    }
}

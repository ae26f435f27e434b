public import MultiplexerCore
import NIOCore

extension CIDRBlock {
    /// Reads a block such as `192.168.1.0/24` or `fd00::/8`, or a single address.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let socketAddress = try? SocketAddress(ipAddress: String(parts[0]), port: 0)
        guard let address = socketAddress.flatMap(IPAddress.init) else {
            throw ConfigurationError(
                "'\(text)' is not an address block: '\(parts[0])' is no IP address; write 192.168.1.0/24, fd00::/8 or 192.168.1.7"
            )
        }
        guard parts.count == 2 else {
            guard let block = CIDRBlock(address) else {
                throw ConfigurationError("'\(text)' is not an address block")
            }
            self = block
            return
        }
        let bits = address.isIPv4 ? 32 : 128
        guard let length = Int(parts[1]), (0...bits).contains(length), parts[1].allSatisfy(\.isNumber) else {
            throw ConfigurationError(
                "'\(text)' is not an address block: the prefix length must be 0 to \(bits), it is '\(parts[1])'"
            )
        }
        guard let block = CIDRBlock(address, prefixLength: length) else {
            throw ConfigurationError(
                "'\(text)' is not an address block: bits behind the first \(length) are set; write \(parts[0]) alone for this one address, or clear them"
            )
        }
        self = block
    }
}

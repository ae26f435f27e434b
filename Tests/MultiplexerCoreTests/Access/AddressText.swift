import Foundation
import MultiplexerCore
import Testing

/// The address that a text stands for, read by the system's own reader.
func address(_ text: String) throws -> IPAddress {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
        return try #require(withUnsafeBytes(of: &four) { IPAddress(bytes: $0) })
    }
    var six = in6_addr()
    try #require(inet_pton(AF_INET6, text, &six) == 1, "\(text) is no address")
    return try #require(withUnsafeBytes(of: &six) { IPAddress(bytes: $0) })
}

/// The block that a text such as 192.0.2.0/24 stands for, or nil if it is none.
func block(_ text: String) throws -> CIDRBlock? {
    let parts = text.split(separator: "/")
    return CIDRBlock(try address(String(parts[0])), prefixLength: parts.count > 1 ? Int(parts[1]) : nil)
}

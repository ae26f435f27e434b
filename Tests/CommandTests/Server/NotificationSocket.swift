import Foundation
import Testing

@testable import tcp_multiplexer

/// What a service manager listens on.
final class NotificationSocket {
    /// What NOTIFY_SOCKET says of it.
    let name: String
    private let descriptor: CInt

    init(_ name: String) throws {
        self.name = name
        descriptor = unixSocket(.datagram)
        let address = try #require(UnixSocketAddress(serviceManagers: name))
        try #require(address.withPointer { bind(descriptor, $0, $1) } == 0)
    }

    deinit { close(descriptor) }

    /// What was said next, if anything is within a time: variables and their values.
    func next(within limit: Duration = .seconds(10)) async throws -> [String: String]? {
        let deadline = ContinuousClock.now + limit
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            if count >= 0 {
                let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
                #expect(count <= 4096, "systemd ignores it")
                return Dictionary(
                    uniqueKeysWithValues: lines.map { line in
                        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        return (String(parts[0]), String(parts.dropFirst().first ?? ""))
                    }
                )
            }
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// What was said until nothing more is for a time.
    func all(untilSilentFor limit: Duration) async throws -> [[String: String]] {
        var all: [[String: String]] = []
        while let next = try await next(within: limit) { all.append(next) }
        return all
    }
}

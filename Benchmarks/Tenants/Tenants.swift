import Logging
import MultiplexerCore
import SecureMux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shares several devices in one process until its input ends.
///
///     tenants LISTEN DEVICE [LISTEN DEVICE ...]
@main enum Tenants {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst()
        var devices: [DeviceConfiguration] = []
        for (index, pair) in zip(words, words.dropFirst()).enumerated() where index.isMultiple(of: 2) {
            devices.append(
                DeviceConfiguration(
                    name: "device \(index / 2)",
                    address: try DeviceAddress(parsing: pair.1),
                    applicationProtocol: .modbus,
                    listeners: [ListenerConfiguration(address: try ListenAddress(parsing: pair.0))]
                )
            )
        }
        let quiet = Logger(label: "tenants") { _ in SwiftLogNoOpLogHandler() }
        let server = try await Server.start(try ServerConfiguration(devices: devices), logger: quiet)
        // At once: what is printed would wait for more where nobody looks at it.
        _ = "ready\n".withCString { write(STDOUT_FILENO, $0, 6) }
        while readLine() != nil {}
        await server.drain()
    }
}

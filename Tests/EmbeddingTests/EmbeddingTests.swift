import Foundation
import Logging
import MultiplexerCore
import SecureMux
import Testing

// The code of docs/embedding.md. This target is outside of the package's own access, so it sees what users of the library see.
// What stands between two markers is shown there as it is.

// MARK: page: sharing

/// Shares a device with the programs of this machine for as long as `body` runs.
func sharing(_ device: String, at address: String, for body: (Server) async throws -> Void) async throws {
    var times = Multiplexer.Configuration(queueTimeout: .seconds(20))
    DeviceProfile.huaweiSDongle.apply(to: &times)
    let server = try await Server.start(
        try ServerConfiguration(
            device: try DeviceAddress(parsing: device),
            applicationProtocol: .modbus,
            listeners: [ListenerConfiguration(address: try ListenAddress(parsing: address))],
            multiplexer: times
        ),
        logger: Logger(label: "inverter")
    )
    do {
        try await body(server)
    } catch {
        await server.drain()
        throw error
    }
    await server.drain()
}

// MARK: page: secure

/// A listener for the network: TLS, client certificates and an allow-list.
func secureListener() throws -> ListenerConfiguration {
    ListenerConfiguration(
        address: try ListenAddress(parsing: "8802"),
        tls: TLSServerConfiguration(
            certificateChainFile: "server-chain.crt",
            privateKeyFile: "server.key",
            clientCertificates: .required,
            clientCAFile: "ca.crt"
        ),
        allowList: AllowList([try CIDRBlock(parsing: "192.168.1.0/24")]),
        limits: ClientLimits(clients: 100, clientsPerAddress: 10)
    )
}

// MARK: page: renew

/// Lets other addresses come, and reads the certificate anew.
func renew(_ server: Server, _ rules: ListenerRules) async throws {
    try await server.replaceRules(ofListener: 0, of: server.deviceNames[0], by: rules)
}

// MARK: page: reload

/// Makes another configuration hold, and says what that has changed.
func reload(_ server: Server, _ configuration: ServerConfiguration) async throws -> String {
    let outcome = try await server.reload(configuration)
    return outcome.isEmpty ? "nothing to do" : outcome.description
}

// MARK: page: many

/// Shares two inverters, each at a port of its own.
func bothInverters() throws -> ServerConfiguration {
    try ServerConfiguration(
        devices: [
            DeviceConfiguration(
                name: "roof",
                address: try DeviceAddress(parsing: "192.168.1.30:502"),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: try ListenAddress(parsing: "5020"))]
            ),
            DeviceConfiguration(
                name: "garage",
                address: try DeviceAddress(parsing: "192.168.1.31:502"),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: try ListenAddress(parsing: "5021"))]
            ),
        ]
    )
}

// MARK: page: end

@Suite(.timeLimit(.minutes(1))) struct EmbeddingTests {
    @Test(arguments: ["sharing", "secure", "renew", "reload", "many"])
    func `the page shows the code that compiles here`(_ part: String) throws {
        let own = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let parts = own.components(separatedBy: "\n// MARK: page: ").dropFirst()
        let code = try #require(parts.first { $0.hasPrefix(part + "\n") }).dropFirst(part.count)
            .trimmingCharacters(in: .newlines)
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/embedding.md"), encoding: .utf8)
        #expect(page.contains("```swift\n\(code)\n```"))
    }

    @Test func `a server listens while the body runs, without a device`() async throws {
        var port: Int?
        try await sharing("127.0.0.1:1", at: "127.0.0.1:0") { server in port = server.addresses.first?.port }
        #expect(try #require(port) > 0)
    }

    @Test func `its listener has other rules while it is open`() async throws {
        try await sharing("127.0.0.1:1", at: "127.0.0.1:0") { server in
            try await renew(server, ListenerRules(allowList: AllowList([try CIDRBlock(parsing: "10.0.0.0/8")])))
            await #expect(throws: ServerError.self) {
                try await renew(server, ListenerRules(tls: try secureListener().rules.tls))
            }
        }
    }

    @Test func `it is reloaded while it runs`() async throws {
        try await sharing("127.0.0.1:1", at: "127.0.0.1:0") { server in
            for (names, words) in [
                (["roof"], "added roof; removed 127.0.0.1:1"),
                (["roof", "garage"], "added garage; left alone roof"), (["roof", "garage"], "nothing to do"),
            ] {
                let outcome = try await reload(server, try configuration(names))
                #expect(outcome == words)
                #expect(server.deviceNames == names)
            }
        }
    }

    private func configuration(_ names: [String]) throws -> ServerConfiguration {
        var devices: [DeviceConfiguration] = []
        for (index, name) in names.enumerated() {
            devices.append(
                DeviceConfiguration(
                    name: name,
                    address: try DeviceAddress(host: "127.0.0.1", port: index + 1),
                    applicationProtocol: .modbus,
                    listeners: [ListenerConfiguration(address: try ListenAddress(parsing: "127.0.0.1:0"))]
                )
            )
        }
        return try ServerConfiguration(devices: devices)
    }

    @Test func `both devices have names of their own`() throws {
        #expect(try bothInverters().devices.map(\.name) == ["roof", "garage"])
    }

    @Test func `a listener asks what the page says`() throws {
        let listener = try secureListener()
        #expect(try listener.address == ListenAddress(host: nil, port: 8802))
        #expect(listener.rules.tls?.clientCertificates == .required)
        #expect(!listener.rules.allowList.allowsEveryone)
    }
}

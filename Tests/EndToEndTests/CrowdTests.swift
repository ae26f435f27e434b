#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite struct Crowd {
            private static let plainClients = 1_900
            private static let tlsClients = 100

            @Test func `two thousand clients at once each get what is theirs`() async throws {
                let device = try await Device.start()
                let server = try await Server.startWithTLS(
                    device,
                    [
                        "--max-clients", "2500", "--max-clients-per-address", "2500", "--timeout", "20s",
                        "--queue-timeout", "60s",
                    ]
                )
                let before = try server.residentMemory()
                let crowd = try RunningProgram.client(
                    "crowd.py",
                    [
                        "--plain", "\(server.plainPort)", "--plain-clients", "\(Self.plainClients)",
                        "--tls", "\(server.tlsPort)", "--tls-clients", "\(Self.tlsClients)",
                        "--certificates", try await Certificates.made().path,
                    ],
                    hasInput: true
                )
                let count = Self.plainClients + Self.tlsClients
                try await crowd.line(containing: "connected \(count)", within: .seconds(60))
                let connected = try server.residentMemory()
                let last = try await crowd.line(containing: "verified \(3 * count)", within: .seconds(60)).text
                let asked = try server.residentMemory()
                #expect(crowd.lines(containing: "wrong").isEmpty)
                print(
                    """
                    \(count) clients, \(Self.tlsClients) of them over TLS: \((connected - before) / count) bytes each, \
                    \((asked - before) / count) once each has asked three times; the last round took \
                    \(last.split(separator: " ").last ?? "") s
                    """
                )
                #expect((asked - before) / count < 128 << 10)
                try crowd.endInput()
                #expect(try await crowd.end(within: .seconds(60)) == .exited(0))
                #expect(device.refusedConnections == 0)
                #expect(device.program.lines(containing: "client connected").count == 1)
            }
        }
    }
#endif

#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite struct UnfinishedHandshakes {
            private static let clients = 400

            /// A crowd of clients that begin a handshake and do not go on.
            struct Attack: CustomTestStringConvertible {
                let testDescription: String
                let options: [String]
                let reason: String
            }

            private static let attacks = [
                Attack(
                    testDescription: "hellos of 120 kB",
                    options: [],
                    reason: "began its TLS handshake with a hello of more than 16 KiB"
                ),
                Attack(
                    testDescription: "nine bytes that announce 128 KiB",
                    options: ["--bytes", "4"],
                    reason: "began its TLS handshake with a hello of more than 16 KiB"
                ),
                Attack(
                    testDescription: "hellos that lack their last byte",
                    options: ["--announced", "12000", "--bytes", "12003"],
                    reason: "did not complete the TLS handshake within 5s"
                ),
                Attack(
                    testDescription: "whole hellos",
                    options: ["--whole"],
                    reason: "did not complete the TLS handshake within 5s"
                ),
            ]

            @Test(arguments: attacks)
            func `handshakes that are not finished take little memory, and others are served`(
                _ attack: Attack
            ) async throws {
                let device = try await Device.start()
                let server = try await Server.startWithTLS(device, ["--handshake-timeout", "5s"])
                let load = try await Load.start(server, plainClients: 1, tlsClients: 2, pause: 5)
                try await load.verify(more: 50)
                let before = try server.residentMemory()
                let crowd = try RunningProgram.client(
                    "unfinished_hellos.py",
                    ["\(server.tlsPort)", "--clients", "\(Self.clients)"] + attack.options,
                    hasInput: true
                )
                try await crowd.line(containing: "open \(Self.clients)")
                let peak = try server.residentMemory() - before
                try await server.program.line(containing: "client refused", attack.reason)
                try await load.verify(more: 20)
                #expect(peak / Self.clients < 80 << 10, "\(peak / Self.clients) bytes each")
                print("\(attack.testDescription): \(peak / Self.clients) bytes each")
                try crowd.endInput()
                _ = try await load.finish()
            }
        }
    }
#endif

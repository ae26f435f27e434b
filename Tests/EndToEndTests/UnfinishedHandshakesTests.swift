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
                /// What each of them may take, in bytes.
                var most = 32 << 10
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
                    reason: "did not complete the TLS handshake within 5s",
                    // OpenSSL has heard of these, and has 50 KiB for each.
                    most: 72 << 10
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
                try await server.program.lines(100, containing: "client refused", attack.reason)
                try await load.verify(more: 20)
                let each = (try server.peakMemory() - before) / Self.clients
                #expect(each < attack.most)
                print("\(attack.testDescription): \(each) bytes each")
                try crowd.endInput()
                _ = try await load.finish()
            }
        }
    }
#endif

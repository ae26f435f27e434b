import NIOCore
import SecureMux

/// Records and handshakes of TLS 1.3 with client certificates, in memory.
enum TLSBenchmarks {
    /// A response of ten registers.
    private static let response = ByteBuffer(repeating: 7, count: 29)
    /// As much as fits into a record.
    private static let most = ByteBuffer(repeating: 7, count: 16 << 10)

    /// Reads the certificates of the folder.
    static func all(certificates: String) throws -> [Benchmark] {
        let server = try TLSContext(
            server: TLSServerConfiguration(
                certificateChainFile: "\(certificates)/server.crt",
                privateKeyFile: "\(certificates)/server.key",
                minimumVersion: .v1_3,
                clientCertificates: .required,
                clientCAFile: "\(certificates)/ca.crt"
            )
        )
        let client = try TLSContext(
            client: TLSClientConfiguration(
                caFile: "\(certificates)/ca.crt",
                serverName: "127.0.0.1",
                certificateChainFile: "\(certificates)/client.crt",
                privateKeyFile: "\(certificates)/client.key",
                minimumVersion: .v1_3
            )
        )
        return [
            Benchmark(name: "tls: a full handshake, both ends of it") { times in
                for _ in 0..<times { _ = try Pair(client, server) }
                return times
            },
            Benchmark(name: "tls: encrypt a response") { times in
                let pair = try Pair(client, server)
                var records = ByteBuffer()
                var sum = 0
                for _ in 0..<times {
                    records.clear()
                    guard pair.server.encrypt(response, records: &records) == .complete else { throw Failure() }
                    sum &+= records.readableBytes
                }
                return sum
            },
            Benchmark(name: "tls: encrypt a response and decrypt it") { times in
                try Pair(client, server).carry(response, times)
            },
            Benchmark(name: "tls: encrypt 16 KiB and decrypt them") { times in
                try Pair(client, server).carry(most, times)
            },
        ]
    }
}

/// What a session says that should be established.
private struct Failure: Error {}

/// Both ends of an established connection.
private struct Pair {
    let client: TLSSession
    let server: TLSSession

    init(_ client: TLSContext, _ server: TLSContext) throws {
        self.client = try TLSSession(client)
        self.server = try TLSSession(server)
        var records = ByteBuffer()
        // The client speaks first and last; then the server has its certificate.
        for _ in 0..<2 {
            _ = self.client.handshake(records: &records)
            self.server.receive(records)
            records = ByteBuffer()
            _ = self.server.handshake(records: &records)
            self.client.receive(records)
            records = ByteBuffer()
        }
        guard self.client.isEstablished, self.server.isEstablished else { throw Failure() }
    }

    /// From the server to the client, as often as `times` says; returns how many bytes have arrived.
    func carry(_ bytes: ByteBuffer, _ times: Int) throws -> Int {
        var plaintext = ByteBuffer()
        var none = ByteBuffer()
        var sum = 0
        for _ in 0..<times {
            var records = ByteBuffer()
            guard server.encrypt(bytes, records: &records) == .complete else { throw Failure() }
            client.receive(records)
            plaintext.clear()
            _ = client.decrypt(into: &plaintext, records: &none)
            guard plaintext.readableBytes == bytes.readableBytes else { throw Failure() }
            sum &+= plaintext.readableBytes
        }
        return sum
    }
}

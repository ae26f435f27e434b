import Foundation
import Testing

extension EndToEnd {
    @Suite(.bystanders()) struct RudeClients {
        private let scene: Scene

        init() throws {
            scene = try Scene.ofSuite()
        }

        @Test(arguments: [false, true])
        func `half a frame disturbs nobody`(overTLS: Bool) async throws {
            for half in ["00", "000100000006", "000100000006010300000001"].map({ String($0.dropLast(2)) }) {
                let client = try client(overTLS, "--send", half, "--seconds", "0.5")
                try await scene.bystanders.verify()
                try await client.end()
                #expect(client.lines.map(\.text) == ["connected", "still open"])
            }
            try await scene.bystanders.verify()
        }

        @Test(arguments: [false, true])
        func `a reset in the middle of a request disturbs nobody`(overTLS: Bool) async throws {
            let request = Hex.frame(1, Hex.read(0))
            let crowd = (1...100).map { Hex.frame($0, Hex.read(0)) }.joined()
            let requests = [request, String(request.dropLast(6)), crowd]
            let clients = try requests.flatMap { request in
                try ["0", "0.05"].map { try client(overTLS, "--send", request, "--reset", $0) }
            }
            try await scene.bystanders.verify(more: 20)
            for client in clients {
                #expect(try await client.end() == .exited(0))
            }
            try await scene.bystanders.verify(more: 20)
        }

        #if os(Linux)
            @Test func `clients that never read their responses make no memory grow`() async throws {
                try await scene.bystanders.verify(more: 20)
                let before = try scene.server.residentMemory()
                let deaf = try [
                    RunningProgram.client("deaf.py", ["\(scene.server.plainPort)", "--clients", "8"], hasInput: true),
                    RunningProgram.client(
                        "deaf.py",
                        ["\(scene.server.tlsPort)", "--clients", "8", "--certificates", scene.certificates.path],
                        hasInput: true
                    ),
                ]
                for clients in deaf { try await clients.line(containing: "stalled", within: .seconds(60)) }
                try await scene.bystanders.verify(more: 50)
                let growth = try scene.server.residentMemory() - before
                print("16 clients that read nothing: \(growth >> 10) KiB more resident memory")
                #expect(growth < 4 << 20)
            }
        #endif

        private func client(_ overTLS: Bool, _ options: String...) throws -> RunningProgram {
            let port = overTLS ? scene.server.tlsPort : scene.server.plainPort
            let tls = overTLS ? ["--certificates", scene.certificates.path] : []
            return try .client("raw.py", ["\(port)"] + tls + options)
        }
    }
}

#if os(Linux)
    import Testing

    extension EndToEnd {
        @Suite struct FirstRequests {
            // 40 ms is how long Linux may keep an acknowledgement back.
            @Test(arguments: ["1.2", "1.3"])
            func `a client with Nagle's algorithm does not wait behind its handshake`(version: String) async throws {
                let device = try await Device.start()
                let server = try await Server.startWithTLS(device, ["--max-age", "1m"])
                let clients = try RunningProgram.client(
                    "first_request.py",
                    ["\(server.tlsPort)", "--certificates", try await Certificates.made().path, "--version", version]
                )
                #expect(try await clients.end(within: .seconds(60)) == .exited(0))
                let said = try #require(clients.lines.last).text
                print("TLS \(version), first requests: \(said)")
                let median = try #require(said.firstMatch(of: /median ([0-9.]+)/).flatMap { Double($0.1) })
                #expect(median < 20)
            }
        }
    }
#endif

#if os(Linux)
    import Testing

    extension EndToEnd {
        /// Programs and gateways that look at no more than the first message of each segment.
        @Suite struct Segments {
            @Test(arguments: [false, true])
            func `a client that looks at the first answer of each segment gets all of them`(isTLS: Bool) async throws {
                let device = try await Device.start("--response-delay", "20ms")
                let server = try await Server.startWithTLS(device)
                #expect(
                    try await answers(of: server, isTLS: isTLS, [])
                        == "answered 9 segments 9\(isTLS ? " records 9" : "")"
                )
            }

            // More than a fresh connection may have under way, so that some wait to be sent.
            @Test(arguments: [false, true])
            func `answers that are given at the same moment share no segment`(isTLS: Bool) async throws {
                let device = try await Device.start()
                let server = try await Server.startWithTLS(device, ["--max-age", "1m"])
                let said = try await answers(of: server, isTLS: isTLS, ["--same", "--requests", "30"])
                #expect(said.hasSuffix(" segments 30\(isTLS ? " records 30" : "")"), "\(said)")
            }

            private func answers(of server: Server, isTLS: Bool, _ options: [String]) async throws -> String {
                let tls = isTLS ? ["--certificates", try await Certificates.made().path] : []
                let port = isTLS ? server.tlsPort : server.plainPort
                let client = try RunningProgram.client("one_adu.py", ["\(port)"] + tls + options)
                #expect(try await client.end(within: .seconds(60)) == .exited(0))
                return try #require(client.lines.last).text
            }
        }
    }
#endif

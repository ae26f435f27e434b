#if os(Linux)
    import Testing

    extension EndToEnd {
        /// Programs and gateways that look at no more than the first message of each segment.
        @Suite struct Segments {
            @Test(arguments: [false, true])
            func `a client that looks at the first answer of each segment gets all of them`(isTLS: Bool) async throws {
                let device = try await Device.start("--response-delay", "150ms")
                let server = try await Server.startWithTLS(device)
                #expect(try await answers(of: server, 9, isTLS: isTLS)["answered"] == 9)
            }

            // More than a fresh connection may have under way, so that some wait to be sent.
            @Test(arguments: [false, true])
            func `answers that are given at the same moment share no segment`(isTLS: Bool) async throws {
                let device = try await Device.start()
                let server = try await Server.startWithTLS(device, ["--max-age", "1m"])
                let seen = try await answers(of: server, 30, isTLS: isTLS, "--same")
                // Sent again if need be.
                #expect(try #require(seen["segments"]) >= 30)
                #expect(seen["records"] == (isTLS ? 30 : nil))
            }

            /// What a client saw that asked so often.
            private func answers(
                of server: Server,
                _ requests: Int,
                isTLS: Bool,
                _ options: String...
            ) async throws -> [String: Int] {
                let tls = isTLS ? ["--certificates", try await Certificates.made().path] : []
                let port = isTLS ? server.tlsPort : server.plainPort
                let client = try RunningProgram.client(
                    "one_adu.py",
                    ["\(port)", "--requests", "\(requests)"] + tls + options
                )
                #expect(try await client.end(within: .seconds(60)) == .exited(0))
                let said = try #require(client.lines.last).text
                return Dictionary(
                    said.matches(of: /([a-z]+) ([0-9]+)/).map { (String($0.1), Int($0.2) ?? 0) },
                    uniquingKeysWith: { $1 }
                )
            }
        }
    }
#endif

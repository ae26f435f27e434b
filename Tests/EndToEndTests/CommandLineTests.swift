import Foundation
import Testing

extension EndToEnd {
    @Suite struct CommandLines {
        // MARK: Documented ones

        @Test(arguments: [
            ["-p", "modbus", "-t", "DEVICE", "-l", "PORT", "-v"],
            ["--applicationProtocol", "modbus", "--targetServer", "DEVICE", "--listen", "PORT"],
            ["-p", "modbus", "-t", "DEVICE", "-l", "PORT", "--retryDelay", "2s", "--timeout", "60", "--delay", "1s"],
            ["-p", "modbus-tcp", "-t", "DEVICE", "-l", "PORT", "-d"],
            ["--protocol", "modbus", "--target", "DEVICE", "--listen", "127.0.0.1:PORT", "--retry-delay", "500ms"],
        ])
        func `documented command lines of the server work unchanged`(_ arguments: [String]) async throws {
            let device = try await Device.start()
            let port = try freePort()
            let server = try RunningProgram.multiplexer(
                ["server"]
                    + arguments.map {
                        $0.replacing("DEVICE", with: "127.0.0.1:\(device.port)").replacing("PORT", with: "\(port)")
                    }
            )
            #expect(try await server.port(announcedBy: "plain TCP") == port)
            let mbpoll = try RunningProgram.system(
                "mbpoll",
                "-m",
                "tcp",
                "-p",
                "\(port)",
                "-a",
                "1",
                "-0",
                "-1",
                "-o",
                "10",
                "-r",
                "40000",
                "-c",
                "2",
                "-t",
                "4:hex",
                "127.0.0.1"
            )
            #expect(try await mbpoll.end() == .exited(0))
            #expect(mbpoll.lines(containing: "0x").map { $0.suffix(6) } == ["0x5375", "0x6E53"])

            let isOpen = !arguments.contains("127.0.0.1:PORT")
            let warnings = server.lines(containing: "anyone who reaches this address can read and write the device")
            #expect(warnings.count == (isOpen ? 1 : 0))
            let saysMore = arguments.contains("-v") || arguments.contains("-d")
            #expect(server.lines(containing: "client connected").isEmpty == !saysMore)
            #expect(server.lines(containing: "debug ").isEmpty == !arguments.contains("-d"))
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
        }

        // The examples of the Go program's README, for each of its protocols, with ports that are free here.
        @Test(arguments: [
            ("echo", "lines.py", [], "printf 'kkk\\nmmm\\n' | nc -N 127.0.0.1 PORT", "KKK\nMMM"),
            ("http", "http_gadget.py", [], "curl -s http://127.0.0.1:PORT/early", "late"),
            ("iso8583", "length_prefixed.py", [], "printf '\\0\\005hello' | nc -N 127.0.0.1 PORT | tail -c 5", "olleh"),
            (
                "mpu", "length_prefixed.py", ["--length-bytes", "4", "--length-format", "ascii"],
                "printf 0003abc | nc -N 127.0.0.1 PORT", "0003cba"
            ),
        ])
        func `the Go program's examples work as they stand`(
            _ name: String,
            _ peer: String,
            _ options: [String],
            _ client: String,
            _ answer: String
        ) async throws {
            let device = try await IndependentDevice.start(peer, options)
            let port = try freePort()
            let server = try RunningProgram.multiplexer(
                ["server", "-p", name, "-t", "127.0.0.1:\(device.port)", "-l", "\(port)"]
            )
            #expect(try await server.port(announcedBy: "plain TCP") == port)
            let asking = try RunningProgram.shell(client.replacing("PORT", with: "\(port)"))
            #expect(try await asking.end() == .exited(0))
            #expect(asking.lines.map(\.text).joined(separator: "\n") == answer)
        }

        @Test func `the first line names the device, or says that none was named`() async throws {
            let listening = ["-p", "modbus", "-l", "127.0.0.1:0"]
            let server = try RunningProgram.multiplexer(["server", "-t", "inverter.invalid:502"] + listening)
            _ = try await server.port(announcedBy: "plain TCP")
            #expect(server.lines.first?.text.contains("sharing the device device=inverter.invalid:502") == true)
            let unnamed = try RunningProgram.multiplexer(["server"] + listening)
            _ = try await unnamed.port(announcedBy: "plain TCP")
            let line = unnamed.lines.first?.text
            #expect(line?.contains("sharing the default device, since none was named; give -t for another one") == true)
            #expect(line?.contains("device=127.0.0.1:1234") == true)
        }

        @Test func `list names every protocol`() async throws {
            let list = try RunningProgram.multiplexer(["list"])
            #expect(try await list.end() == .exited(0))
            let names = list.lines(containing: "* ").compactMap { $0.split(separator: " ").dropFirst().first }
            let ofGoProgram = ["echo", "http", "iso8583", "modbus", "modbus-rtu", "modbus-serial", "mpu"]
            #expect(Set(names).isSuperset(of: ofGoProgram.map { $0[...] }))
        }

        @Test(arguments: ["version", "--version"])
        func `version shows the version`(_ argument: String) async throws {
            let version = try RunningProgram.multiplexer([argument])
            #expect(try await version.end() == .exited(0))
            #expect(version.lines.map(\.text).count == 1)
            #expect(version.lines.first?.text.contains(/^tcp-multiplexer [0-9]+\.[0-9]+\.[0-9]+$/) == true)
        }

        @Test(arguments: [[], ["server"], ["simulate"], ["probe"], ["list"], ["version"]])
        func `help explains itself`(_ command: [String]) async throws {
            let help = try RunningProgram.multiplexer(command + ["--help"])
            #expect(try await help.end() == .exited(0))
            #expect(help.lines(containing: "USAGE: tcp-multiplexer").count == 1)
        }

        @Test func `lines are echoed to the client that sent them`() async throws {
            let device = try await Device.start("-p", "echo")
            let server = try RunningProgram.multiplexer(
                ["server", "-p", "echo", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0"]
            )
            let port = try await server.port(announcedBy: "plain TCP")
            let texts = (0..<5).map { client in (0..<20).map { "line \($0) of client \(client)\n" }.joined() }
            let clients = try texts.map { text in
                let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                return try RunningProgram.client("raw.py", ["\(port)", "--send", hex, "--seconds", "1"])
            }
            for (client, text) in zip(clients, texts) {
                try await client.end()
                #expect(client.lines.last?.text == "still open")
                let received = client.lines(containing: "received").map { $0.dropFirst("received ".count) }.joined()
                #expect(received == text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
            }
            #expect(device.refusedConnections == 0)
        }

        // MARK: Those that cannot work

        @Test(
            arguments: [
                (
                    ["server", "-l", "127.0.0.1:0", "-l", "127.0.0.1:0"],
                    "-l 127.0.0.1:0 and -l 127.0.0.1:0: this option"
                ),
                (["simulate", "--seed=1", "--seed=2"], "--seed 1 and --seed 2: this option is to be given once"),
                (["help", "servers"], "no help on 'servers', only on one of: server, "),
            ]
        )
        func `what the command line says twice or wrongly ends it`(_ arguments: [String], _ words: String) async throws
        {
            let program = try RunningProgram.multiplexer(arguments)
            #expect(try await program.end() == .exited(64))
            #expect(program.lines(containing: words).count == 1)
        }

        @Test(arguments: [["help"], ["help", "server"], ["help", "list"]])
        func `help on a command is help`(_ arguments: [String]) async throws {
            let program = try RunningProgram.multiplexer(arguments)
            #expect(try await program.end() == .exited(0))
            #expect(program.lines(containing: "USAGE: tcp-multiplexer").count == 1)
        }

        @Test func `a port in use is named`() async throws {
            let device = try await Device.start()
            let words = "cannot listen on 127.0.0.1:\(device.port): port \(device.port) is in use"
            for arguments in [
                ["server", "-p", "modbus", "-l", "127.0.0.1:\(device.port)"],
                ["simulate", "-l", "127.0.0.1:\(device.port)"],
            ] {
                let program = try RunningProgram.multiplexer(arguments)
                #expect(try await program.end() == .exited(1))
                #expect(program.lines(containing: words).count == 1)
            }
        }

        @Test func `a TLS port in use is named, and the plain one is not served`() async throws {
            let device = try await Device.start()
            let certificates = try await Certificates.made()
            let program = try RunningProgram.multiplexer([
                "server", "-p", "modbus", "-l", "127.0.0.1:0", "--tls-listen", "127.0.0.1:\(device.port)",
                "--tls-certificate", certificates["server.crt"], "--tls-key", certificates["server.key"],
            ])
            #expect(try await program.end() == .exited(1))
            #expect(program.lines(containing: "port \(device.port) is in use").count == 1)
        }

        /// Options of the server, files of the certificates' folder written as @file; then what it has to say.
        @Test(arguments: [
            (
                ["--tls-certificate", "@missing.crt", "--tls-key", "@server.key"],
                ["--tls-certificate", "@missing.crt"]
            ),
            (["--tls-certificate", "@server.crt", "--tls-key", "@missing.key"], ["--tls-key", "@missing.key"]),
            (["--tls-certificate", "@server.key", "--tls-key", "@server.key"], ["--tls-certificate", "@server.key"]),
            (["--tls-certificate", "@server.crt", "--tls-key", "@server.crt"], ["--tls-key", "@server.crt"]),
            (["--tls-certificate", "@server.crt", "--tls-key", "@client.key"], ["--tls-key", "@client.key"]),
            (
                ["--tls-certificate", "@server.crt", "--tls-key", "@server-encrypted.key"],
                ["--tls-key", "@server-encrypted.key", "--tls-key-passphrase-file"]
            ),
            (
                [
                    "--tls-certificate", "@server.crt", "--tls-key", "@server-encrypted.key",
                    "--tls-key-passphrase-file", "@ca.crt",
                ],
                ["@server-encrypted.key", "--tls-key-passphrase-file"]
            ),
            (
                [
                    "--tls-certificate", "@server.crt", "--tls-key", "@server-encrypted.key",
                    "--tls-key-passphrase-file", "@missing.txt",
                ],
                ["--tls-key-passphrase-file", "@missing.txt"]
            ),
            (
                ["--tls-certificate", "@server.crt", "--tls-key", "@server.key", "--client-ca", "@missing.crt"],
                ["--client-ca", "@missing.crt"]
            ),
            (
                ["--tls-certificate", "@server.crt", "--tls-key", "@server.key", "--client-ca", "@client.key"],
                ["--client-ca", "@client.key"]
            ),
            (
                ["--tls-certificate", "@server.crt", "--tls-key", "@pipe"],
                ["--tls-key", "@pipe is a pipe and no file"]
            ),
            (
                ["--tls-certificate", "/dev/zero", "--tls-key", "@server.key"],
                ["--tls-certificate", "/dev/zero is a device and no file"]
            ),
            (
                [
                    "--tls-certificate", "@server.crt", "--tls-key", "@server-encrypted.key",
                    "--tls-key-passphrase-file", "@pipe",
                ],
                ["--tls-key-passphrase-file", "@pipe is a pipe and no file"]
            ),
        ])
        func `files that cannot be used are named with their option`(options: [String], words: [String]) async throws {
            let certificates = try await Certificates.made()
            // Opened as a file is, it would not open before somebody writes.
            try #require(mkfifo(certificates["pipe"], 0o600) == 0 || errno == EEXIST)
            func resolved(_ text: String) -> String {
                text.hasPrefix("@") ? certificates[String(text.dropFirst())] : text
            }
            let program = try RunningProgram.multiplexer(
                ["server", "-p", "modbus", "-l", "127.0.0.1:0"] + options.map(resolved)
            )
            #expect(try await program.end() == .exited(1))
            let said = program.lines.map(\.text).filter { !$0.contains("sharing the default device") }
            #expect(said.count == 1)
            for word in words.map(resolved) { #expect(said.first?.contains(word) == true, "\(said)") }
        }

        @Test func `an encrypted key opens with the passphrase of a file`() async throws {
            let certificates = try await Certificates.made()
            let device = try await Device.start()
            let server = try RunningProgram.multiplexer([
                "server", "-p", "modbus", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0",
                "--tls-certificate", certificates["server.crt"], "--tls-key", certificates["server-encrypted.key"],
                "--tls-key-passphrase-file", certificates["server-encrypted.passphrase"],
            ])
            // Without --tls-listen the one listener speaks TLS.
            let port = try await server.port(announcedBy: "TLS without client certificates")
            let client = try RunningProgram.client(
                "pymodbus_client.py",
                ["\(port)", "--address", "0", "--rounds", "2", "--version", "1.3", "--certificates", certificates.path]
            )
            try await client.line(containing: "verified")
        }

        @Test(arguments: [
            (["-p", "modbos"], "'modbos' is not a protocol that this program speaks"),
            (["-l", "70000"], "70000"),
            (["-l", "host:"], "'host:' is not an address to listen on"),
            (["-t", "inverter"], "'inverter' is not the address of a device"),
            (["--timeout", "soon"], "soon"),
            (["--timeout=-1s"], "negative"),
            (["--timeout", "0"], "must be longer than 0"),
            (["--retryDelay", "5x"], "5x"),
            (["--allow", "192.168.1.0/33"], "192.168.1.0/33"),
            (["--allow", "localhost"], "localhost"),
            (["-p", "modbus", "--max-in-flight", "17"], "--max-in-flight must be 1 to 16"),
            (["-p", "echo", "--max-in-flight", "2"], "echo has no transaction ids"),
            (["--tls-min-version", "1.1"], "'1.1' is not a TLS version that may be used: 1.2 or 1.3"),
            (["--client-certificates", "maybe"], "'maybe' is not a policy for client certificates"),
            (["--tls-key", "server.key"], "--tls-key needs TLS"),
            (["--tls-listen", "8802"], "--tls-listen needs TLS"),
            (["--client-ca", "ca.crt"], "--client-ca needs TLS"),
            (["--tls-certificate", "server.crt"], "--tls-certificate needs its private key"),
            (
                ["--tls-certificate", "a", "--tls-key", "b", "--client-certificates", "required"],
                "--client-certificates required needs --client-ca"
            ),
            (["--no-such-option"], "--no-such-option"),
        ])
        func `options that cannot be used end with 64 and the reason`(options: [String], reason: String) async throws {
            let program = try RunningProgram.multiplexer(["server"] + options)
            #expect(try await program.end() == .exited(64))
            let said = program.lines.map(\.text).joined(separator: "\n")
            #expect(said.contains(reason))
        }
    }
}

import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension EndToEnd {
    /// A server that is told to read its configuration again.
    @Suite struct Reloads {
        private let folder = FileManager.default.temporaryDirectory.appending(path: "reload-\(UUID().uuidString)")

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        @Test func `a signal changes what the file changes, and closes nobody's connection`() async throws {
            let device = try await Device.start()
            let (port, other) = (try freePort(), try freePort())
            let server = try await start(device, port)
            let load = try await Load.start(Server(program: server, plainPort: port, tlsPort: 0), plainClients: 8)
            try write(
                device,
                port,
                more: "gap: 1ms",
                devices: "  meter: {target: '127.0.0.1:1', protocol: modbus, listeners: [{address: \(other)}]}"
            )
            server.send(signal: SIGHUP)
            try await server.line(
                containing: "the configuration was reloaded",
                "added meter",
                "changed inverter (times)"
            )
            try await server.line(containing: "listening", "127.0.0.1:\(other)")
            try await load.verify()
            #expect(try await load.finish() > 0)
            #expect(server.lines(containing: "connected to the device").count == 1)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
        }

        @Test func `sixty reloads under load, a third of them broken, lose nothing`() async throws {
            let device = try await Device.start()
            let (port, other) = (try freePort(), try freePort())
            let server = try await start(device, port)
            let load = try await Load.start(Server(program: server, plainPort: port, tlsPort: 0), plainClients: 8)
            let meter = "  meter: {target: '127.0.0.1:1', protocol: modbus, listeners: [{address: \(other)}]}"
            for round in 0..<60 {
                let isBroken = round % 3 == 2
                try write(
                    device,
                    port,
                    more: isBroken ? "gap: soon" : "timeout: \(round % 5 + 3)s",
                    devices: round % 2 == 0 ? meter : ""
                )
                let reload = try RunningProgram.multiplexer(["reload", "--control", path("control")])
                #expect(try await reload.end() == .exited(isBroken ? 1 : 0))
            }
            try await load.verify()
            #expect(try await load.finish() > 0)
            #expect(server.lines(containing: "connected to the device").count == 1)
            #expect(server.lines(containing: "the configuration was not reloaded").count == 20)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
        }

        @Test func `a command waits for the outcome, and says what is wrong`() async throws {
            let device = try await Device.start()
            let port = try freePort()
            let server = try await start(device, port)
            try write(device, port, more: "gap: soon")
            let refused = try RunningProgram.multiplexer(["reload", "--config", path("config.yml")])
            #expect(try await refused.end() == .exited(1))
            #expect(
                refused.lines(containing: "config.yml:6:10: devices.inverter.gap: 'soon' is not a duration").count == 1
            )
            try write(device, port, more: "gap: 1ms")
            let done = try RunningProgram.multiplexer(["reload", "--control", path("control")])
            #expect(try await done.end() == .exited(0))
            #expect(done.lines(containing: "changed inverter (times)").count == 1)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
            let late = try RunningProgram.multiplexer(["reload", "--control", path("control")])
            #expect(try await late.end() == .exited(1))
            #expect(late.lines(containing: "no server answers at").count == 1)
        }

        @Test func `a device is left to others for a while by a command, and taken back`() async throws {
            let device = try await Device.start()
            let port = try freePort()
            let server = try await start(device, port)
            let released = try RunningProgram.multiplexer(
                ["release", "inverter", "--for", "1h", "--control", path("control")]
            )
            #expect(try await released.end() == .exited(0))
            #expect(released.lines(containing: "inverter is left to others for 1h").count == 1)
            #expect(try await probe(port) == .exited(5))
            let resumed = try RunningProgram.multiplexer(["resume", "inverter", "--config", path("config.yml")])
            #expect(try await resumed.end() == .exited(0))
            #expect(try await probe(port) == .exited(0))
            let unknown = try RunningProgram.multiplexer(["release", "attic", "--control", path("control")])
            #expect(try await unknown.end() == .exited(1))
            #expect(unknown.lines(containing: "there is no device called attic; there are: inverter").count == 1)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
        }

        private func probe(_ port: Int) async throws -> RunningProgram.End {
            try await RunningProgram.multiplexer(["probe", "127.0.0.1:\(port)", "--read", "40000:2"]).end()
        }

        @Test func `with options alone a hangup reads the files again, and stops nothing`() async throws {
            let device = try await Device.start()
            let server = try await Server.start(device)
            server.program.send(signal: SIGHUP)
            try await server.program.line(containing: "the configuration was reloaded", "nothing changed")
            let mbpoll = try RunningProgram.system(
                "mbpoll",
                "-m",
                "tcp",
                "-p",
                "\(server.plainPort)",
                "-a",
                "1",
                "-0",
                "-1",
                "-r",
                "40000",
                "127.0.0.1"
            )
            #expect(try await mbpoll.end() == .exited(0))
            server.program.send(signal: SIGTERM)
            #expect(try await server.program.end() == .exited(0))
        }

        @Test func `files that change are noticed, a broken one once`() async throws {
            let device = try await Device.start()
            let port = try freePort()
            let server = try await start(device, port, top: "watch: true\n")
            try write(device, port, top: "watch: true\n", more: "gap: soon")
            try await server.line(containing: "the configuration was not reloaded")
            // As editors and renewal tools do it.
            try write(device, port, top: "watch: true\n", more: "gap: 1ms", name: "new.yml")
            #expect(rename(path("new.yml"), path("config.yml")) == 0)
            try await server.line(containing: "the configuration was reloaded", "changed inverter (times)")
            #expect(server.lines(containing: "the configuration was not reloaded").count == 1)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
        }

        private func path(_ name: String) -> String { folder.appending(path: name).path }

        private func start(_ device: Device, _ port: Int, top: String = "") async throws -> RunningProgram {
            try write(device, port, top: top)
            let server = try RunningProgram.multiplexer(["server", "--config", path("config.yml")])
            #expect(try await server.port(announcedBy: "plain TCP") == port)
            return server
        }

        private func write(
            _ device: Device,
            _ port: Int,
            top: String = "",
            more: String = "linger: 5s",
            devices: String = "",
            name: String = "config.yml"
        ) throws {
            let text = """
                control: control
                \(top)devices:
                  inverter:
                    target: 127.0.0.1:\(device.port)
                    protocol: modbus
                    \(more)
                    listeners: [{address: \(port)}]
                \(devices)
                """
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
    }
}

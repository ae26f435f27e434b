import Dispatch
import Foundation
import Testing

extension EndToEnd {
    /// What a service manager is told of a server that it runs.
    @Suite struct ServiceManager {
        private let folder = ReloadFolder()

        @Test func `it is told of the start, of each reload, and of the end`() async throws {
            let device = try await Device.start()
            let ports = [try freePort(), try freePort()]
            try folder.write(configuration(device, ports))
            let manager = try RunningProgram.client(
                "service_manager.py",
                [folder["notify"]] + ports.map { "\($0)" },
                hasInput: true
            )
            try await manager.line(containing: "listening")
            let server = try RunningProgram.multiplexer(
                ["server", "--config", folder["config.yml"]],
                environment: ["NOTIFY_SOCKET": folder["notify"], "WATCHDOG_USEC": "1000000"]
            )
            try await manager.line(containing: "told READY=1 STATUS=sharing inverter")
            #expect(manager.lines(containing: "reached").first == "reached 2")

            // The same, and then one that is wrong.
            for (text, outcome) in [
                (configuration(device, ports, "gap: 1ms"), "STATUS=reloaded: changed inverter (times)"),
                (configuration(device, ports, "gap: soon"), "STATUS=not reloaded: "),
            ] {
                let start = manager.lineCount
                try folder.write(text)
                let before = monotonicMicroseconds()
                server.send(signal: SIGHUP)
                let begun = try await manager.line(containing: "told RELOADING=1", from: start).text
                let time = try #require(begun.firstMatch(of: /MONOTONIC_USEC=([0-9]+)/).flatMap { Int($0.1) })
                let told = try #require(begun.firstMatch(of: /at=([0-9]+)$/).flatMap { Int($0.1) })
                #expect(before <= time && time <= told)
                try await manager.line(containing: "told READY=1", outcome, from: start)
            }

            try await manager.lines(2, containing: "told WATCHDOG=1")
            server.send(signal: SIGTERM)
            try await manager.line(containing: "told STOPPING=1")
            #expect(try await server.end() == .exited(0))
            #expect(manager.lines(containing: "told READY=1").count == 3)
            #expect(manager.lines(containing: "told RELOADING=1").count == 2)
        }

        @Test func `its folder for sockets gets the control socket, which goes with the server`() async throws {
            let device = try await Device.start()
            try folder.write(configuration(device, [try freePort()]))
            let environment = ["RUNTIME_DIRECTORY": folder.path]
            let server = try RunningProgram.multiplexer(
                ["server", "--config", folder["config.yml"]],
                environment: environment
            )
            try await server.line(containing: "listening")
            // As ExecReload= runs it.
            let reload = try RunningProgram.multiplexer(["reload"], environment: environment)
            #expect(try await reload.end() == .exited(0))
            #expect(reload.lines(containing: "nothing changed").count == 1)
            server.send(signal: SIGTERM)
            #expect(try await server.end() == .exited(0))
            #expect(!FileManager.default.fileExists(atPath: folder["control.sock"]))
        }

        @Test func `a second server in the same folder serves without a control socket`() async throws {
            let device = try await Device.start()
            try folder.write(configuration(device, [try freePort()]))
            let first = try RunningProgram.multiplexer(
                ["server", "--config", folder["config.yml"]],
                environment: ["XDG_RUNTIME_DIR": folder.path]
            )
            try await first.line(containing: "listening")
            let options = ["server", "-p", "modbus", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0"]
            let second = try RunningProgram.multiplexer(options, environment: ["XDG_RUNTIME_DIR": folder.path])
            try await second.line(containing: "will not reach this server", "another server listens there")
            let path = folder["tcp-multiplexer.sock"]
            let third = try RunningProgram.multiplexer(options + ["--control", path])
            #expect(try await third.end() == .exited(1))
            #expect(third.lines(containing: "error", path, "another server listens there").count == 1)
            // Those that could not have it leave it alone.
            second.send(signal: SIGTERM)
            #expect(try await second.end() == .exited(0))
            let reload = try RunningProgram.multiplexer(["reload", "--control", path])
            #expect(try await reload.end() == .exited(0))
        }

        private func configuration(_ device: Device, _ ports: [Int], _ more: String = "linger: 5s") -> String {
            """
            devices:
              inverter:
                target: 127.0.0.1:\(device.port)
                protocol: modbus
                \(more)
                listeners: [\(ports.map { "{address: \($0)}" }.joined(separator: ", "))]

            """
        }
    }
}

private func monotonicMicroseconds() -> Int {
    Int(DispatchTime.now().uptimeNanoseconds / 1000)
}

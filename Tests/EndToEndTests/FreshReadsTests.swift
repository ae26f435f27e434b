import Foundation
import Testing

extension EndToEnd {
    /// Whoever reads after a write was answered sees it, however many share and keep answers.
    @Suite struct FreshReads {
        struct Options: CustomTestStringConvertible {
            var server: [String]
            var testDescription: String { server.isEmpty ? "the defaults" : server.joined(separator: " ") }
        }

        @Test(arguments: [
            Options(server: []),
            Options(server: ["--max-age", "10s"]),
            Options(server: ["--max-age", "10s", "--max-in-flight", "8"]),
            Options(server: ["--max-age", "10s", "--write-priority"]),
            Options(server: ["--no-coalesce", "--write-priority"]),
        ])
        func `a write that was answered is seen by everyone who reads after it`(options: Options) async throws {
            let device = try await Device.start("--response-delay", "1ms")
            // Two units that are one: what is written to either has to be seen in the other.
            let server = try await Server.start(
                port: device.port,
                ["-p", "modbus", "--unit-map", "1=7,2=7"] + options.server
            )
            let clients = try RunningProgram.client("fresh.py", ["\(server.plainPort)"])
            #expect(try await clients.end(within: .seconds(60)) == .exited(0))
            #expect(clients.lines(containing: "wrong").isEmpty, "\(clients.lines.prefix(10).map(\.text))")
            let done = try #require(clients.lines(containing: "done ").last)
            let (reads, writes) = (try number("reads", in: done), try number("writes", in: done))
            device.program.send(signal: SIGUSR1)
            let report = try await device.program.line(containing: "what happened").text
            let asked = try number("requests", in: report)
            print("\(options.testDescription): \(reads) reads and \(writes) writes, \(asked) requests of the device")
            #expect(reads >= 100)
            if options.server.contains("--no-coalesce") {
                #expect(asked == reads + writes)
            } else {
                #expect(asked < reads + writes, "nothing was shared, so nothing was shown")
            }
        }

        private func number(_ name: String, in line: String) throws -> Int {
            let word = try #require(line.split(separator: " ").last { $0.hasPrefix("\(name)=") })
            return try #require(Int(word.dropFirst(name.count + 1)))
        }
    }
}

import Foundation
import Testing

extension EndToEnd.FieldReports {
    /// Devices that take a segment for a request, and answers that come in pieces.
    ///
    /// What clients see of segments is in `Segments`.
    @Suite struct Pieces {
        @Test func `a device that reads one request a segment answers all nine of one send`() async throws {
            let play = try await Play.set(deviceOptions: ["--first-of-each-read"])
            try await play.open("client")
            let requests = (1...9).map { Hex.frame($0, Hex.read($0)) }
            try play.send("client", requests.joined())
            let answers = (1...9).map { Hex.frame($0, Hex.content($0)) }
            #expect(try await play.clients.received("client", 9) == answers)
        }

        #if os(Linux)
            @Test(arguments: [1, 4, 16])
            func `each request leaves in a segment of its own`(inFlight: Int) async throws {
                let play = try await Play.set(options: ["--max-in-flight", "\(inFlight)"])
                try await play.open("client")
                let requests = (1...9).map { Hex.frame($0, Hex.read($0)) }
                try play.send("client", requests.joined())
                try await play.clients.received("client", 9)
                play.server.program.send(signal: SIGTERM)
                let said = try await play.device.program.line(containing: "segments ").text
                // Sent again if need be.
                #expect(try #require(said.split(separator: " ").last.flatMap { Int($0) }) >= 9)
            }
        #endif

        @Test func `the last byte may come alone`() async throws {
            let play = try await Play.set("030300000002 -> id 0000 0007 0303 04 000003 200ms 71")
            try await play.open("client")
            for id in 1...3 {
                let answer = try await play.answer(to: "client", Hex.frame(id, unit: 3, Hex.read(0, count: 2)))
                #expect(answer == Hex.frame(id, unit: 3, "0304" + "00000371"))
            }
            #expect(play.device.connections.taken == 1)
        }

        @Test func `answers in two pieces are whole answers`() async throws {
            let play = try await Play.set("* -> id 0000 0007 / 0103 04 0001 0002")
            try await play.open("client")
            for id in 1...40 {
                let answer = try await play.answer(to: "client", Hex.frame(id, Hex.read(id, count: 2)))
                #expect(answer == Hex.frame(id, Hex.registers(1, 2)))
            }
            #expect(play.device.connections.taken == 1)
        }

        #if os(Linux)
            // With Nagle's algorithm it waits for the acknowledgement of the first, which comes 40 ms late by itself.
            @Test func `a device that sends head and body one by one need not wait for us in between`() async throws {
                let device = try await IndependentDevice.start("http_gadget.py")
                let server = try await Server.start(port: device.port, "-p", "http")
                let url = "http://127.0.0.1:\(server.plainPort)/bytes?n=10"
                let fetches = (1...100).flatMap { _ in ["-o", "/dev/null", url] }
                let curl = try RunningProgram(Tools.system("curl"), ["-sf"] + fetches)
                let begin = ContinuousClock.now
                #expect(try await curl.end(within: .seconds(30)) == .exited(0))
                #expect(ContinuousClock.now - begin < .seconds(2))
            }
        #endif
    }
}

import Foundation
import Testing

extension EndToEnd {
    /// Equal reads that wait at the same time, and what parts them.
    @Suite struct SharedReads {
        @Test func `clients that wait for the same read share one answer`() async throws {
            let stage = try await Stage.set()
            let names = (1...16).map { "c\($0)" }
            try await askTogether(names, on: stage)
            try stage.device.answerAll()
            for (index, name) in names.enumerated() {
                let answer = Hex.frame(100 + index, Hex.registers(1))
                #expect(try await stage.clients.received(name, 1) == [answer])
            }
            #expect(try await stage.askedBeside(1) == ["unit=1 \(Hex.read(DeviceOnDemand.counter))"])
            #expect(stage.device.asked.count == 2)
            #expect(stage.server.program.lines(containing: "shares an answer").count == 15)
        }

        @Test func `with --no-coalesce each of them costs the device one`() async throws {
            let stage = try await Stage.set("--no-coalesce")
            let names = (1...16).map { "c\($0)" }
            try await askTogether(names, on: stage)
            try stage.device.answerAll()
            for (index, name) in names.enumerated() {
                let answer = Hex.frame(100 + index, Hex.registers(index + 1))
                #expect(try await stage.clients.received(name, 1) == [answer])
            }
            #expect(stage.device.asked.count == 17)
        }

        @Test func `clients that poll a slow device get many answers from each read`() async throws {
            let (answers, reads) = try await poll()
            print("\(answers) answers from \(reads) reads of the device")
            // As many as there are clients at best. A slow machine may let some of them miss a turn.
            #expect(answers >= reads * 4)
        }

        @Test func `with --no-coalesce they get one answer from each`() async throws {
            let (answers, reads) = try await poll("--no-coalesce")
            #expect(answers == reads)
        }

        @Test func `an answer is never older than the question`() async throws {
            let stage = try await Stage.set()
            try await stage.open("early", "late")
            let read = Hex.read(DeviceOnDemand.counter)
            try stage.clients.send("early", Hex.frame(1, read))
            try await stage.device.asked(1)
            // The device is already at it, and may have looked at its sensor before this one asks.
            try await stage.ask("late", Hex.frame(2, read), as: 2)
            try stage.device.answerAll()
            #expect(try await stage.clients.received("early", 1) == [Hex.frame(1, Hex.registers(1))])
            #expect(try await stage.clients.received("late", 1) == [Hex.frame(2, Hex.registers(2))])
            #expect(stage.device.asked.count == 2)
        }

        /// Trap T28: whoever asks after a write must not share the answer of one who asked before it.
        @Test func `a write parts the reads before it from those behind it`() async throws {
            let stage = try await Stage.set()
            try await stage.open("before", "writer", "behind")
            try await stage.occupyDevice()
            try await stage.ask("before", Hex.frame(1, Hex.read(10)), as: 2)
            try await stage.ask("writer", Hex.frame(1, Hex.write(10, 77)), as: 3)
            try await stage.ask("behind", Hex.frame(1, Hex.read(10)), as: 4)
            try stage.device.answerAll()
            #expect(try await stage.clients.received("before", 1) == [Hex.frame(1, Hex.registers(0))])
            #expect(try await stage.clients.received("behind", 1) == [Hex.frame(1, Hex.registers(77))])
            let asked = [Hex.read(10), Hex.write(10, 77), Hex.read(10)].map { "unit=1 \($0)" }
            #expect(try await stage.askedBeside(3) == asked)
        }

        @Test func `a write to another unit parts nothing`() async throws {
            let stage = try await Stage.set()
            try await stage.open("before", "writer", "behind")
            try await stage.occupyDevice()
            try await stage.ask("before", Hex.frame(1, Hex.read(10)), as: 2)
            try await stage.ask("writer", Hex.frame(1, unit: 2, Hex.write(10, 77)), as: 3)
            try await stage.ask("behind", Hex.frame(1, Hex.read(10)), as: 4)
            try stage.device.answerAll()
            try await stage.clients.received("writer", 1)
            #expect(try await stage.clients.received("before", 1) == [Hex.frame(1, Hex.registers(0))])
            #expect(try await stage.clients.received("behind", 1) == [Hex.frame(1, Hex.registers(0))])
            #expect(stage.device.asked.count == 3)
        }

        @Test(arguments: [
            [Hex.read(10), Hex.read(11)], [Hex.read(10), Hex.read(10, count: 2)], [Hex.read(10), Hex.readInput(10)],
            [Hex.write(10, 1), Hex.write(10, 1)],
        ])
        func `what differs, or writes, is never shared`(requests: [String]) async throws {
            let stage = try await Stage.set()
            try await stage.open("one", "other")
            try await stage.occupyDevice()
            try await stage.ask("one", Hex.frame(1, requests[0]), as: 2)
            try await stage.ask("other", Hex.frame(1, requests[1]), as: 3)
            try stage.device.answerAll()
            try await stage.clients.received("one", 1)
            try await stage.clients.received("other", 1)
            #expect(try await stage.askedBeside(2) == requests.map { "unit=1 \($0)" })
        }

        @Test func `an exception reaches all who asked, each with its own transaction id and unit`() async throws {
            let stage = try await Stage.set("--unit-map", "1=7,2=7")
            try await stage.open("c1", "c2", "c3")
            try await stage.occupyDevice()
            let read = Hex.read(DeviceOnDemand.illegal)
            for (index, (name, unit)) in [("c1", 1), ("c2", 2), ("c3", 7)].enumerated() {
                try await stage.ask(name, Hex.frame(500 + index, unit: unit, read), as: 2 + index)
            }
            try stage.device.answerAll()
            #expect(try await stage.clients.received("c1", 1) == [Hex.frame(500, unit: 1, "8302")])
            #expect(try await stage.clients.received("c2", 1) == [Hex.frame(501, unit: 2, "8302")])
            #expect(try await stage.clients.received("c3", 1) == [Hex.frame(502, unit: 7, "8302")])
            #expect(try await stage.askedBeside(1) == ["unit=7 \(read)"])
            #expect(stage.device.asked.count == 2)
        }

        @Test(arguments: [["c1"], ["c2"], ["c1", "c3"]], DictatedClients.Leaving.allCases)
        func `whoever leaves while its read is shared disturbs nobody`(
            leaving: [String],
            by way: DictatedClients.Leaving
        ) async throws {
            let stage = try await Stage.set()
            let names = ["c1", "c2", "c3", "c4"]
            try await stage.clients.open(names, at: stage.server.plainPort)
            try await stage.occupyDevice()
            let read = Hex.read(DeviceOnDemand.counter, count: 3)
            for (index, name) in names.enumerated() {
                try await stage.ask(name, Hex.frame(40 + index, read), as: 2 + index)
            }
            // Now the device has the read that all share.
            try stage.device.answer(1)
            _ = try await stage.askedBeside(1)
            try await stage.leave(leaving, by: way)
            try stage.device.answerAll()
            for (index, name) in names.enumerated() where !leaving.contains(name) {
                let answer = Hex.frame(40 + index, Hex.registers(1, 1, 1))
                #expect(try await stage.clients.received(name, 1) == [answer])
            }
            // Nobody is served what was meant for those who left.
            try stage.clients.send("c4", Hex.frame(99, Hex.read(7)))
            #expect(try await stage.clients.received("c4", 2).last == Hex.frame(99, Hex.registers(0)))
            #expect(stage.device.asked.count == 3)
            #expect(stage.device.program.lines(containing: "connected").count == 1)
            #expect(stage.server.program.lines(containing: "dropped").isEmpty)
        }

        @Test func `a read whose clients have all left is answered to nobody`() async throws {
            let stage = try await Stage.set()
            try await stage.open("c1", "c2", "c3")
            try await stage.occupyDevice()
            let read = Hex.read(DeviceOnDemand.counter)
            try await stage.ask("c1", Hex.frame(1, read), as: 2)
            try await stage.ask("c2", Hex.frame(2, read), as: 3)
            try stage.device.answer(1)
            _ = try await stage.askedBeside(1)
            try await stage.leave("c1", "c2")
            // A read that comes later is another one, although nobody waits for the one in flight any more.
            try await stage.ask("c3", Hex.frame(3, read), as: 4)
            try stage.device.answerAll()
            #expect(try await stage.clients.received("c3", 1) == [Hex.frame(3, Hex.registers(2))])
        }

        /// Trap T10: the clients' units may stand for one of the device's, and each gets its own back.
        @Test func `clients of RTU over TCP with units of their own share a read of one`() async throws {
            let stage = try await Stage.set(
                "-p",
                "modbus-serial",
                "--target-protocol",
                "modbus",
                "--unit-map",
                "1=7,2=7"
            )
            let units = [("c1", "01"), ("c2", "02"), ("c3", "07"), ("c4", "01")]
            try await stage.clients.open(["occupant"] + units.map(\.0), at: stage.server.plainPort, "rtu")
            try await stage.ask("occupant", "01" + Hex.read(999), as: 1)
            try await stage.device.asked(1)
            let read = Hex.read(DeviceOnDemand.counter, count: 2)
            for (index, (name, unit)) in units.enumerated() {
                try await stage.ask(name, unit + read, as: 2 + index)
            }
            try stage.device.answerAll()
            for (name, unit) in units {
                // The occupant's read was the first.
                #expect(try await stage.clients.received(name, 1) == [unit + Hex.registers(2, 2)])
            }
            #expect(stage.device.asked == ["unit=7 \(Hex.read(999))", "unit=7 \(read)"])
            #expect(stage.clients.program.lines(containing: "wrong").isEmpty)
        }

        @Test func `clients of several listeners share a read`() async throws {
            let certificates = try await Certificates.made()
            let stage = try await Stage.set(
                "--tls-listen",
                "127.0.0.1:0",
                "--tls-certificate",
                certificates["server.crt"],
                "--tls-key",
                certificates["server.key"],
                "--client-ca",
                certificates["ca.crt"],
                "--unit-map",
                "1=7,2=7"
            )
            let tlsPort = try await stage.server.program.port(announcedBy: "TLS with client certificates")
            try await stage.open("plain")
            try await stage.clients.open(["encrypted"], at: tlsPort, "tls=\(certificates.path)")
            try await stage.occupyDevice()
            let read = Hex.read(DeviceOnDemand.counter)
            try await stage.ask("plain", Hex.frame(8, unit: 1, read), as: 2)
            try await stage.ask("encrypted", Hex.frame(8, unit: 2, read), as: 3)
            try stage.device.answerAll()
            let value = Hex.registers(1)
            #expect(try await stage.clients.received("plain", 1) == [Hex.frame(8, unit: 1, value)])
            #expect(try await stage.clients.received("encrypted", 1) == [Hex.frame(8, unit: 2, value)])
            #expect(stage.device.asked.count == 2)
        }

        /// Has each client ask for the same while the device is busy with something else.
        private func askTogether(_ names: [String], on stage: Stage) async throws {
            try await stage.clients.open(names, at: stage.server.plainPort)
            try await stage.occupyDevice()
            for (index, name) in names.enumerated() {
                let read = Hex.frame(100 + index, Hex.read(DeviceOnDemand.counter))
                try await stage.ask(name, read, as: 2 + index)
            }
        }

        /// Lets 16 clients poll, and returns how many answers they got from how many reads of the device.
        private func poll(_ options: String...) async throws -> (answers: Int, reads: Int) {
            let device = try await Device.start("--response-delay", "10ms")
            let server = try await Server.start(port: device.port, ["-p", "modbus"] + options)
            let clients = try RunningProgram.client("poll.py", ["\(server.plainPort)"])
            #expect(try await clients.end(within: .seconds(60)) == .exited(0))
            #expect(clients.lines(containing: "wrong").isEmpty)
            let done = try #require(clients.lines(containing: "done answers=").last)
            device.program.send(signal: SIGUSR1)
            let report = try await device.program.line(containing: "what happened").text
            let reads = report.firstMatch(of: /\srequests=([0-9]+)/).flatMap { Int($0.1) }
            let answers = done.split(separator: "=").last.flatMap { Int($0) }
            return (try #require(answers), try #require(reads))
        }
    }
}

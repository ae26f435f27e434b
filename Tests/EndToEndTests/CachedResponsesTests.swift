import Foundation
import Testing

extension EndToEnd {
    /// `--max-age`: responses that are given again, and what ends that.
    @Suite struct CachedResponses {
        private static let read = Hex.read(DeviceOnDemand.counter)

        @Test func `a second read within the age costs the device nothing, one after a write does`() async throws {
            let stage = try await Stage.set("--max-age", "1m")
            try stage.device.answerAll()
            try await stage.open("one", "other")
            #expect(try await answer(to: "one", 1, on: stage) == 1)
            #expect(try await answer(to: "other", 2, on: stage) == 1)
            #expect(try await answer(to: "one", 3, on: stage) == 1)
            #expect(stage.device.asked.count == 1)
            let traces = stage.server.program.lines(containing: "answered from memory")
            #expect(traces.count == 2)
            #expect(traces.allSatisfy { $0.contains(/age="?[0-9]/) })

            // What is written elsewhere says nothing about this unit.
            try stage.clients.send("other", Hex.frame(4, unit: 2, Hex.write(10, 5)))
            try await stage.clients.received("other", 2)
            #expect(try await answer(to: "one", 5, on: stage) == 1)
            #expect(stage.device.asked.count == 2)

            try stage.clients.send("other", Hex.frame(6, Hex.write(10, 5)))
            try await stage.clients.received("other", 3)
            #expect(try await answer(to: "one", 7, on: stage) == 2)
            #expect(try await answer(to: "other", 8, on: stage) == 2)
            #expect(stage.device.asked.count == 4)
        }

        @Test func `a response that is too old is not given again`() async throws {
            let stage = try await Stage.set("--max-age", "200ms")
            try stage.device.answerAll()
            try await stage.open("one")
            #expect(try await answer(to: "one", 1, on: stage) == 1)
            try await Task.sleep(for: .milliseconds(250))
            #expect(try await answer(to: "one", 2, on: stage) == 2)
        }

        @Test func `without the option nothing is given again`() async throws {
            let stage = try await Stage.set()
            try stage.device.answerAll()
            try await stage.open("one")
            for round in 1...5 { #expect(try await answer(to: "one", round, on: stage) == round) }
        }

        @Test func `a read may join one that the device has already, unless a write came between them`() async throws {
            let stage = try await Stage.set("--max-age", "1m")
            try await stage.open("early", "late", "writer", "behind")
            try stage.clients.send("early", Hex.frame(1, Self.read))
            try await stage.device.asked(1)
            try await stage.ask("late", Hex.frame(2, Self.read), as: 2)
            try await stage.ask("writer", Hex.frame(3, Hex.write(10, 5)), as: 3)
            try await stage.ask("behind", Hex.frame(4, Self.read), as: 4)
            try stage.device.answerAll()
            #expect(try await stage.clients.received("early", 1) == [Hex.frame(1, Hex.registers(1))])
            #expect(try await stage.clients.received("late", 1) == [Hex.frame(2, Hex.registers(1))])
            #expect(try await stage.clients.received("behind", 1) == [Hex.frame(4, Hex.registers(2))])
            #expect(stage.device.asked.count == 3)
        }

        /// Trap T27: what was read before a write must not be kept as if it had been read after it.
        @Test func `a response is not kept if a write was sent while its read was on its way`() async throws {
            let stage = try await Stage.set("--max-age", "1m", "--max-in-flight", "2")
            try await stage.open("reader", "writer")
            try await stage.ask("reader", Hex.frame(1, Hex.read(10)), as: 1)
            try await stage.ask("writer", Hex.frame(2, Hex.write(10, 5)), as: 2)
            try await stage.server.program.lines(2, containing: " sent ")
            try stage.device.answerAll()
            #expect(try await stage.clients.received("reader", 1) == [Hex.frame(1, Hex.registers(0))])
            try await stage.clients.received("writer", 1)
            try stage.clients.send("reader", Hex.frame(3, Hex.read(10)))
            #expect(try await stage.clients.received("reader", 2).last == Hex.frame(3, Hex.registers(5)))
        }

        @Test func `a client's own order is kept, whatever is known already`() async throws {
            let stage = try await Stage.set("--max-age", "1m")
            try stage.device.answer(1)
            try await stage.open("one")
            #expect(try await answer(to: "one", 1, on: stage) == 1)
            // The read behind a write must wait for it.
            let requests = [Hex.frame(2, Hex.read(10)), Hex.frame(3, Hex.write(10, 5)), Hex.frame(4, Self.read)]
            try stage.clients.send("one", requests)
            try await stage.server.hasTaken(4)
            try stage.device.answerAll()
            let answers = [
                Hex.frame(1, Hex.registers(1)), Hex.frame(2, Hex.registers(0)), Hex.frame(3, Hex.write(10, 5)),
                Hex.frame(4, Hex.registers(3)),
            ]
            #expect(try await stage.clients.received("one", 4) == answers)
        }

        @Test func `an exception is not kept`() async throws {
            let stage = try await Stage.set("--max-age", "1m")
            try stage.device.answerAll()
            try await stage.open("one", "other")
            for (round, name) in ["one", "other"].enumerated() {
                try stage.clients.send(name, Hex.frame(round, Hex.read(DeviceOnDemand.illegal)))
                #expect(try await stage.clients.received(name, 1) == [Hex.frame(round, "8302")])
            }
            #expect(stage.device.asked.count == 2)
        }

        @Test func `what is kept outlasts the device's absence, and nothing else does`() async throws {
            let stage = try await Stage.set("--max-age", "1m")
            try stage.device.answerAll()
            try await stage.open("one")
            #expect(try await answer(to: "one", 1, on: stage) == 1)
            stage.device.program.send(signal: SIGKILL)
            try stage.clients.send("one", Hex.frame(2, Hex.read(10)))
            let unreachable = try await stage.clients.received("one", 2).last
            #expect(unreachable == Hex.frame(2, "830a") || unreachable == Hex.frame(2, "830b"))
            try await stage.server.program.line(containing: "the device cannot be reached")
            #expect(try await answer(to: "one", 3, on: stage) == 1)
            try stage.clients.send("one", Hex.frame(4, Hex.read(10)))
            #expect(try await stage.clients.received("one", 4).last == Hex.frame(4, "830a"))
        }

        /// Lets a client read the device's counter, and returns it.
        private func answer(to name: String, _ transaction: Int, on stage: Stage) async throws -> Int {
            let before = stage.clients.received(name).count
            try stage.clients.send(name, Hex.frame(transaction, Self.read))
            let answer = try #require(try await stage.clients.received(name, before + 1).last)
            let (frame, value) = (answer.dropLast(4), answer.suffix(4))
            #expect(frame == Hex.frame(transaction, Hex.registers(0)).dropLast(4))
            return try #require(Int(value, radix: 16))
        }
    }
}

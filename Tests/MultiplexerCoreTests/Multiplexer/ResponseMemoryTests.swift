import Testing

@testable import MultiplexerCore

@Suite struct ResponseMemoryTests {
    private func read(_ value: Int) -> Request.Read { Request.Read(rawValue: UInt64(value)) }

    @Test func `a response is found until it is too old`() throws {
        var memory = Multiplexer.ResponseMemory(maximumAge: .seconds(1))
        let place = memory.keep(read(1), generation: 0, at: .seconds(5))
        let found = try #require(memory.find(read(1), generation: 0, at: .seconds(6)))
        #expect(found.place == place)
        #expect(found.age == .seconds(1))
        #expect(memory.find(read(1), generation: 0, at: .seconds(6) + .nanoseconds(1)) == nil)
        #expect(memory.find(read(2), generation: 0, at: .seconds(5)) == nil)
        #expect(memory.find(read(1), generation: 1, at: .seconds(5)) == nil)
    }

    @Test func `a new response takes the place of the old one to the same read`() throws {
        var memory = Multiplexer.ResponseMemory(maximumAge: .seconds(1))
        let place = memory.keep(read(1), generation: 0, at: .zero)
        #expect(memory.keep(read(2), generation: 0, at: .zero) != place)
        #expect(memory.keep(read(1), generation: 3, at: .seconds(1)) == place)
        #expect(memory.find(read(1), generation: 0, at: .seconds(1)) == nil)
        #expect(try #require(memory.find(read(1), generation: 3, at: .seconds(1))).age == .zero)
    }

    @Test func `when all places are taken the oldest goes`() {
        var memory = Multiplexer.ResponseMemory(maximumAge: .seconds(1))
        let limit = Multiplexer.ResponseMemory.limit
        for value in 0..<limit { #expect(memory.keep(read(value), generation: 0, at: .zero) == value) }
        #expect(memory.keep(read(limit), generation: 0, at: .zero) == 0)
        #expect(memory.find(read(0), generation: 0, at: .zero) == nil)
        #expect(memory.find(read(1), generation: 0, at: .zero)?.place == 1)
        #expect(memory.find(read(limit), generation: 0, at: .zero)?.place == 0)
        #expect(memory.keep(read(limit + 1), generation: 0, at: .zero) == 1)
    }
}

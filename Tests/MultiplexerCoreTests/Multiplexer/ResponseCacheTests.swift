import Testing

@testable import MultiplexerCore

@Suite struct ResponseCacheTests {
    private func read(_ value: Int) -> Request.Read { Request.Read(rawValue: UInt64(value)) }

    @Test func `a response is found until it is too old`() throws {
        var cache = Multiplexer.ResponseCache(maximumAge: .seconds(1))
        let slot = cache.insert(read(1), generation: 0, at: .seconds(5))
        let found = try #require(cache.find(read(1), generation: 0, at: .seconds(6)))
        #expect(found.slot == slot)
        #expect(found.age == .seconds(1))
        #expect(cache.find(read(1), generation: 0, at: .seconds(6) + .nanoseconds(1)) == nil)
        #expect(cache.find(read(2), generation: 0, at: .seconds(5)) == nil)
        #expect(cache.find(read(1), generation: 1, at: .seconds(5)) == nil)
    }

    @Test func `a new response takes the place of the old one to the same read`() throws {
        var cache = Multiplexer.ResponseCache(maximumAge: .seconds(1))
        let slot = cache.insert(read(1), generation: 0, at: .zero)
        #expect(cache.insert(read(2), generation: 0, at: .zero) != slot)
        #expect(cache.insert(read(1), generation: 3, at: .seconds(1)) == slot)
        #expect(cache.find(read(1), generation: 0, at: .seconds(1)) == nil)
        #expect(try #require(cache.find(read(1), generation: 3, at: .seconds(1))).age == .zero)
    }

    @Test func `when all places are taken the oldest goes`() {
        var cache = Multiplexer.ResponseCache(maximumAge: .seconds(1))
        let limit = Multiplexer.ResponseCache.limit
        for value in 0..<limit { #expect(cache.insert(read(value), generation: 0, at: .zero) == value) }
        #expect(cache.insert(read(limit), generation: 0, at: .zero) == 0)
        #expect(cache.find(read(0), generation: 0, at: .zero) == nil)
        #expect(cache.find(read(1), generation: 0, at: .zero)?.slot == 1)
        #expect(cache.find(read(limit), generation: 0, at: .zero)?.slot == 0)
        #expect(cache.insert(read(limit + 1), generation: 0, at: .zero) == 1)
    }
}

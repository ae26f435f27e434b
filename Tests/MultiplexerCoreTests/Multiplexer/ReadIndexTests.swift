import Testing

@testable import MultiplexerCore

@Suite struct ReadIndexTests {
    private typealias Index = Multiplexer.ReadIndex

    private func key(_ read: UInt64, _ generation: UInt64 = 0) -> Multiplexer.ReadIndex.Key {
        Multiplexer.ReadIndex.Key(read: Request.Read(rawValue: read), generation: generation)
    }

    @Test func `members are found by read and generation, the oldest first`() {
        var index = Index()
        index.insert(3, under: key(1))
        index.insert(1, under: key(1))
        index.insert(2, under: key(1, 1))
        #expect(index.first(under: key(1)) == 3)
        #expect(index.first(under: key(1, 1)) == 2)
        #expect(index.first(under: key(2)) == nil)
        #expect(index.contains(1, under: key(1)))
        #expect(!index.contains(1, under: key(1, 1)))
        #expect(!index.contains(7, under: key(1)))
    }

    @Test func `a member that was removed is not found, and removing it again does nothing`() {
        var index = Index()
        index.insert(3, under: key(1))
        index.insert(1, under: key(1))
        index.remove(3)
        index.remove(3)
        index.remove(99)
        #expect(index.first(under: key(1)) == 1)
        index.insert(3, under: key(2))
        #expect(index.first(under: key(2)) == 3)
    }

    @Test func `members are found however many there are`() {
        var index = Index()
        for member in 0..<1000 { index.insert(member, under: key(UInt64(member % 500), UInt64(member / 500))) }
        for member in 0..<1000 where member % 3 == 0 { index.remove(member) }
        for member in 0..<1000 {
            let found = index.first(under: key(UInt64(member % 500), UInt64(member / 500)))
            #expect(found == (member % 3 == 0 ? nil : member))
        }
    }
}

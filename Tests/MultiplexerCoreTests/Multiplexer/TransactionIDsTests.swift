import Testing

@testable import MultiplexerCore

@Suite struct TransactionIDsTests {
    /// Ids whose bytes differ.
    private static let count = 65_536 - 256

    @Test func `each id comes once before the first one comes again`() {
        var ids = TransactionIDs(seed: 1)
        let drawn = (0..<Self.count).map { _ in ids.next(at: .zero) }
        #expect(Set(drawn).count == Self.count)
        #expect(ids.next(at: .zero) == drawn[0])
    }

    @Test func `whoever knows ids cannot tell the next one from them`() {
        var ids = TransactionIDs(seed: 2)
        let drawn = (0..<1000).map { _ in ids.next(at: .zero) }
        let steps = Set(zip(drawn, drawn.dropFirst()).map { $1 &- $0 })
        #expect(steps.count > 900)
        var others = TransactionIDs(seed: 3)
        #expect(zip(drawn, (0..<1000).map { _ in others.next(at: .zero) }).filter { $0 == $1 }.count < 5)
    }

    @Test func `no id is the same with its bytes swapped, so none is 0`() {
        var ids = TransactionIDs(seed: 4)
        for _ in 0..<Self.count {
            let id = ids.next(at: .zero)
            #expect(id != id.byteSwapped)
        }
    }

    // Trap T12: an id is not used again as long as its late response may come.
    @Test func `a retired id is not used until its quarantine ends`() {
        var ids = TransactionIDs(seed: 1)
        let late = ids.next(at: .zero)
        ids.retire(late, at: .seconds(1))
        var drawn = Set((0..<Self.count - 1).map { _ in ids.next(at: .seconds(60)) })
        #expect(!drawn.contains(late))
        #expect(drawn.count == Self.count - 1)
        drawn = Set((0..<Self.count).map { _ in ids.next(at: .seconds(61)) })
        #expect(drawn.contains(late))
    }

    @Test func `several ids in quarantine are all passed over`() {
        var ids = TransactionIDs(seed: 1)
        var same = ids
        let drawn = (0..<7).map { _ in same.next(at: .zero) }
        for place in [1, 2, 4] { ids.retire(drawn[place], at: .zero) }
        #expect((0..<4).map { _ in ids.next(at: .zero) } == [drawn[0], drawn[3], drawn[5], drawn[6]])
    }

    @Test func `of more retired ids than are kept back the oldest comes back first`() {
        var ids = TransactionIDs(seed: 1)
        var same = ids
        let drawn = (0...TransactionIDs.quarantineLimit + 1).map { _ in same.next(at: .zero) }
        for id in drawn.dropLast() { ids.retire(id, at: .zero) }
        #expect(ids.next(at: .zero) == drawn[0])
        #expect(ids.next(at: .zero) == drawn[TransactionIDs.quarantineLimit + 1])
    }
}

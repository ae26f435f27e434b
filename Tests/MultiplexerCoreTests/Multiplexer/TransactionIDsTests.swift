import Testing

@testable import MultiplexerCore

@Suite struct TransactionIDsTests {
    @Test func `ids count up and wrap around`() {
        var ids = TransactionIDs()
        #expect((0..<4).map { _ in ids.next(at: .zero) } == [1, 2, 3, 4])
        for _ in 4..<65_535 { _ = ids.next(at: .zero) }
        #expect((0..<3).map { _ in ids.next(at: .zero) } == [0, 1, 2])
    }

    // Trap T12: an id is not used again as long as its late response may come.
    @Test func `a retired id is not used until its quarantine ends`() {
        var ids = TransactionIDs()
        let late = ids.next(at: .zero)
        ids.retire(late, at: .seconds(1))
        var drawn = Set((0..<65_535).map { _ in ids.next(at: .seconds(60)) })
        #expect(!drawn.contains(late))
        #expect(drawn.count == 65_535)
        drawn = Set((0..<65_536).map { _ in ids.next(at: .seconds(61)) })
        #expect(drawn.contains(late))
    }

    @Test func `neighbours in quarantine are all passed over`() {
        var ids = TransactionIDs()
        for id in [2, 3, 5] as [UInt16] { ids.retire(id, at: .zero) }
        #expect((0..<4).map { _ in ids.next(at: .zero) } == [1, 4, 6, 7])
    }

    @Test func `so many retired ids that the oldest come back leave one to use`() {
        var ids = TransactionIDs()
        for id in 1...UInt16(TransactionIDs.quarantineLimit + 1) { ids.retire(id, at: .zero) }
        #expect(ids.next(at: .zero) == 1)
        #expect(ids.next(at: .zero) == UInt16(TransactionIDs.quarantineLimit + 2))
    }
}

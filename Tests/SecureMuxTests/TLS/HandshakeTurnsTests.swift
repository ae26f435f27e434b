import Testing

@testable import SecureMux

/// Whose handshake goes on when many of them are under way.
@Suite struct HandshakeTurnsTests {
    private var turns = HandshakeTurns<String, Int>()

    private mutating func next(_ count: Int) -> [Int] {
        (0..<count).compactMap { _ in turns.next()?.member }
    }

    @Test mutating func `those of one address go on in the order in which they came`() {
        for member in 1...5 { turns.add(member, of: "a") }
        #expect(next(4) == [1, 2, 3, 4])
        turns.add(1, of: "a")
        #expect(next(3) == [5, 1])
        #expect(turns.isEmpty)
    }

    @Test mutating func `addresses take turns, so a crowd delays itself`() {
        for member in 1...100 { turns.add(member, of: "crowd") }
        turns.add(200, of: "a")
        turns.add(300, of: "b")
        turns.add(301, of: "b")
        #expect(next(7) == [1, 200, 300, 2, 301, 3, 4])
    }

    @Test mutating func `whoever leaves is not waited for`() {
        for member in 1...3 { turns.add(member, of: "a") }
        turns.add(4, of: "b")
        turns.remove(2, of: "a")
        turns.remove(4, of: "b")
        turns.remove(5, of: "b")
        #expect(next(3) == [1, 3])
        turns.add(4, of: "b")
        turns.remove(4, of: "b")
        #expect(turns.isEmpty && turns.next()?.member == nil)
    }
}

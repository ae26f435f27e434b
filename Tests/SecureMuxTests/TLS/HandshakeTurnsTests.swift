import Testing

@testable import SecureMux

/// Whose handshake goes on when many of them are under way.
@Suite struct HandshakeTurnsTests {
    private var turns = HandshakeTurns<String, Int>(limit: .milliseconds(2))

    /// Lets those who wait take steps of this length until the turn is over.
    private mutating func turn(_ step: Duration) -> [Int] {
        turns.begin()
        var taken: [Int] = []
        while let member = turns.next() {
            taken.append(member)
            turns.spend(step)
        }
        return taken
    }

    @Test mutating func `a step is taken at once while the turn has time and nobody waits`() {
        #expect(turns.hasTime)
        turns.spend(.milliseconds(1))
        #expect(turns.hasTime)
        turns.spend(.milliseconds(1))
        #expect(!turns.hasTime)
        turns.begin()
        #expect(turns.hasTime)
        turns.add(1, of: "a")
        #expect(!turns.hasTime, "nobody overtakes those who wait")
    }

    @Test mutating func `a turn ends when its steps have taken long enough, however many wait`() {
        for member in 1...10 { turns.add(member, of: "a") }
        #expect(turn(.milliseconds(1)) == [1, 2])
        // One that takes longer than a turn has the turn for itself.
        #expect(turn(.milliseconds(7)) == [3])
        #expect(turn(.microseconds(500)) == [4, 5, 6, 7])
        #expect(turn(.microseconds(1)) == [8, 9, 10])
        #expect(turns.isEmpty && turn(.microseconds(1)) == [])
    }

    @Test mutating func `addresses take turns, so a crowd delays itself`() {
        for member in 1...100 { turns.add(member, of: "crowd") }
        turns.add(200, of: "a")
        turns.add(300, of: "b")
        turns.add(301, of: "b")
        #expect(turn(.milliseconds(1)) == [1, 200])
        #expect(turn(.milliseconds(1)) == [300, 2])
        #expect(turn(.milliseconds(1)) == [301, 3])
        #expect(turn(.milliseconds(1)) == [4, 5])
    }

    @Test mutating func `whoever leaves is not waited for`() {
        for member in 1...3 { turns.add(member, of: "a") }
        turns.add(4, of: "b")
        turns.remove(2, of: "a")
        turns.remove(4, of: "b")
        turns.remove(5, of: "b")
        #expect(turn(.microseconds(1)) == [1, 3])
        turns.add(4, of: "b")
        turns.remove(4, of: "b")
        #expect(turns.isEmpty && turns.hasTime == true)
    }
}

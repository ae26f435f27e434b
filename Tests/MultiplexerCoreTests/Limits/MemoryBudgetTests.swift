import Testing

@testable import MultiplexerCore

@Suite struct MemoryBudgetTests {
    /// A memory of 100 MiB.
    private struct Memory {
        var budget = MemoryBudget<String>(limit: 100 << 20)
        var reserved: Int { budget.reserved }

        /// Lets a client reserve `mebibytes` MiB.
        mutating func reserve(_ mebibytes: Int, by client: String, from text: String) throws -> [String] {
            budget.reserve(mebibytes << 20, by: client, from: try address(text))
        }

        mutating func left(_ client: String) { budget.left(client) }
    }

    @Test func `whoever fits may stay`() throws {
        var budget = Memory()
        #expect(try budget.reserve(60, by: "a", from: "10.0.0.1") == [])
        #expect(try budget.reserve(40, by: "b", from: "10.0.0.2") == [])
        #expect(budget.reserved == 100 << 20)
        #expect(try budget.reserve(50, by: "a", from: "10.0.0.1") == [])
        #expect(try budget.reserve(50, by: "b", from: "10.0.0.2") == [])
        #expect(try budget.reserve(0, by: "a", from: "10.0.0.1") == [])
        #expect(budget.reserved == 50 << 20)
        budget.left("b")
        #expect(budget.reserved == 0)
    }

    @Test func `who holds most has to let go, not who comes`() throws {
        var budget = Memory()
        #expect(try budget.reserve(60, by: "hoarder", from: "10.0.0.1") == [])
        #expect(try budget.reserve(39, by: "other", from: "10.0.0.2") == [])
        #expect(try budget.reserve(2, by: "newcomer", from: "10.0.0.3") == ["hoarder"])
        #expect(budget.reserved == 41 << 20)
    }

    @Test func `an address that holds most pays for it, however many clients share in that`() throws {
        var budget = Memory()
        for index in 0..<60 { #expect(try budget.reserve(1, by: "many \(index)", from: "10.0.0.1") == []) }
        #expect(try budget.reserve(39, by: "large", from: "10.0.0.2") == [])
        // Of those that hold as much, the one that came first.
        #expect(try budget.reserve(2, by: "newcomer", from: "10.0.0.3") == ["many 0"])
        #expect(try budget.reserve(3, by: "newcomer", from: "10.0.0.3") == ["many 1"])
    }

    @Test func `a client that holds most itself is the one to go`() throws {
        var budget = Memory()
        #expect(try budget.reserve(40, by: "other", from: "10.0.0.1") == [])
        #expect(try budget.reserve(61, by: "greedy", from: "10.0.0.2") == ["greedy"])
        #expect(budget.reserved == 40 << 20)
        // What it still holds until it is gone counts no more.
        #expect(try budget.reserve(90, by: "greedy", from: "10.0.0.2") == [])
        #expect(budget.reserved == 40 << 20)
        budget.left("greedy")
        #expect(try budget.reserve(60, by: "greedy", from: "10.0.0.2") == [])
    }

    @Test func `as many let go as are needed`() throws {
        var budget = Memory()
        for index in 0..<10 { #expect(try budget.reserve(10, by: "\(index)", from: "10.0.0.1") == []) }
        #expect(try budget.reserve(25, by: "newcomer", from: "10.0.0.2") == ["0", "1", "2"])
        #expect(budget.reserved == 95 << 20)
    }

    @Test func `an IPv6 network counts as one address`() throws {
        var budget = Memory()
        #expect(try budget.reserve(40, by: "a", from: "2001:db8::1") == [])
        #expect(try budget.reserve(20, by: "b", from: "2001:db8::2") == [])
        #expect(try budget.reserve(40, by: "c", from: "2001:db8:0:1::1") == [])
        #expect(try budget.reserve(41, by: "c", from: "2001:db8:0:1::1") == ["a"])
    }

    @Test func `letting go of a part never costs anyone the connection`() throws {
        var budget = Memory()
        #expect(try budget.reserve(101, by: "a", from: "10.0.0.1") == ["a"])
        #expect(try budget.reserve(90, by: "b", from: "10.0.0.2") == [])
        #expect(try budget.reserve(80, by: "b", from: "10.0.0.2") == [])
    }
}

import Testing

@testable import MultiplexerCore

@Suite struct MessageMemoryTests {
    /// A memory of 100 MiB.
    private struct Memory {
        var memory = MessageMemory<String>(limit: 100 << 20)
        var held: Int { memory.held }

        /// Lets a client hold so many MiB.
        mutating func hold(_ mebibytes: Int, by client: String, from text: String) throws -> [String] {
            memory.hold(mebibytes << 20, by: client, from: try address(text))
        }

        mutating func left(_ client: String) { memory.left(client) }
    }

    @Test func `whoever fits may stay`() throws {
        var memory = Memory()
        #expect(try memory.hold(60, by: "a", from: "10.0.0.1") == [])
        #expect(try memory.hold(40, by: "b", from: "10.0.0.2") == [])
        #expect(memory.held == 100 << 20)
        #expect(try memory.hold(50, by: "a", from: "10.0.0.1") == [])
        #expect(try memory.hold(50, by: "b", from: "10.0.0.2") == [])
        #expect(try memory.hold(0, by: "a", from: "10.0.0.1") == [])
        #expect(memory.held == 50 << 20)
        memory.left("b")
        #expect(memory.held == 0)
    }

    @Test func `who holds most has to let go, not who comes`() throws {
        var memory = Memory()
        #expect(try memory.hold(60, by: "hoarder", from: "10.0.0.1") == [])
        #expect(try memory.hold(39, by: "other", from: "10.0.0.2") == [])
        #expect(try memory.hold(2, by: "newcomer", from: "10.0.0.3") == ["hoarder"])
        #expect(memory.held == 41 << 20)
    }

    @Test func `an address that holds most pays for it, however many clients share in that`() throws {
        var memory = Memory()
        for index in 0..<60 { #expect(try memory.hold(1, by: "many \(index)", from: "10.0.0.1") == []) }
        #expect(try memory.hold(39, by: "large", from: "10.0.0.2") == [])
        // Of those that hold as much, the one that came first.
        #expect(try memory.hold(2, by: "newcomer", from: "10.0.0.3") == ["many 0"])
        #expect(try memory.hold(3, by: "newcomer", from: "10.0.0.3") == ["many 1"])
    }

    @Test func `a client that holds most itself is the one to go`() throws {
        var memory = Memory()
        #expect(try memory.hold(40, by: "other", from: "10.0.0.1") == [])
        #expect(try memory.hold(61, by: "greedy", from: "10.0.0.2") == ["greedy"])
        #expect(memory.held == 40 << 20)
        // What it still holds until it is gone counts no more.
        #expect(try memory.hold(90, by: "greedy", from: "10.0.0.2") == [])
        #expect(memory.held == 40 << 20)
        memory.left("greedy")
        #expect(try memory.hold(60, by: "greedy", from: "10.0.0.2") == [])
    }

    @Test func `as many let go as are needed`() throws {
        var memory = Memory()
        for index in 0..<10 { #expect(try memory.hold(10, by: "\(index)", from: "10.0.0.1") == []) }
        #expect(try memory.hold(25, by: "newcomer", from: "10.0.0.2") == ["0", "1", "2"])
        #expect(memory.held == 95 << 20)
    }

    @Test func `an IPv6 network counts as one address`() throws {
        var memory = Memory()
        #expect(try memory.hold(40, by: "a", from: "2001:db8::1") == [])
        #expect(try memory.hold(20, by: "b", from: "2001:db8::2") == [])
        #expect(try memory.hold(40, by: "c", from: "2001:db8:0:1::1") == [])
        #expect(try memory.hold(41, by: "c", from: "2001:db8:0:1::1") == ["a"])
    }

    @Test func `letting go of a part never costs anyone the connection`() throws {
        var memory = Memory()
        #expect(try memory.hold(101, by: "a", from: "10.0.0.1") == ["a"])
        #expect(try memory.hold(90, by: "b", from: "10.0.0.2") == [])
        #expect(try memory.hold(80, by: "b", from: "10.0.0.2") == [])
    }
}

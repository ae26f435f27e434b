import Testing

@testable import MultiplexerCore

@Suite struct AdmissionTests {
    @Test func `clients are admitted until the listener is full of those who have spoken`() throws {
        var door = Door(maximumClients: 2, maximumPerAddress: 2)
        try door.comes("a", from: "192.0.2.1")
        try door.comes("b", from: "192.0.2.2")
        door.speaks("a", "b")
        #expect(try door.comes("c", from: "192.0.2.3") == .refused(.listener))
        door.leaves("a")
        #expect(try door.comes("d", from: "192.0.2.3") == .admitted)
        #expect(door.admission.count == 2)
    }

    @Test func `who came first of those that never spoke makes room`() throws {
        var door = Door(maximumClients: 3, maximumPerAddress: 3)
        try door.comes("a", from: "192.0.2.1")
        try door.comes("b", from: "192.0.2.2")
        try door.comes("c", from: "192.0.2.3")
        door.speaks("a")
        #expect(try door.comes("d", from: "192.0.2.4") == .insteadOf("b"))
        #expect(try door.comes("e", from: "192.0.2.5") == .insteadOf("c"))
        // Speaking comes too late.
        door.speaks("b")
        #expect(try door.comes("f", from: "192.0.2.6") == .insteadOf("d"))
        #expect(door.admission.count == 3)
    }

    @Test func `the address with the most silent clients makes room`() throws {
        var door = Door(maximumClients: 5, maximumPerAddress: 5)
        try door.comes("early", from: "192.0.2.1")
        for name in ["f1", "f2", "f3", "f4"] { try door.comes(name, from: "192.0.2.66") }
        #expect(try door.comes("b", from: "192.0.2.2") == .insteadOf("f1"))
        #expect(try door.comes("c", from: "192.0.2.3") == .insteadOf("f2"))
        door.speaks("f3", "f4")
        #expect(try door.comes("d", from: "192.0.2.4") == .insteadOf("early"))
    }

    @Test func `a flood from one address drives out itself alone`() throws {
        var door = Door(maximumClients: 8, maximumPerAddress: 8)
        let others = (1...4).map { "other \($0)" }
        for (index, name) in others.enumerated() { try door.comes(name, from: "192.0.2.\(index + 1)") }
        for round in 0..<1000 {
            let answer = try door.comes("flood \(round)", from: "192.0.2.66")
            if round >= 4 { #expect(answer == .insteadOf("flood \(round - 4)")) }
        }
        // And whoever comes meanwhile is let in.
        #expect(try door.comes("late", from: "192.0.2.9") == .insteadOf("flood 996"))
        #expect(try door.comes("once more", from: "192.0.2.1") == .insteadOf("flood 997"))
    }

    @Test func `an address has only its share, and of that its own silent clients make room`() throws {
        var door = Door(maximumClients: 10, maximumPerAddress: 2)
        try door.comes("other", from: "192.0.2.9")
        try door.comes("a", from: "192.0.2.1")
        try door.comes("b", from: "192.0.2.1")
        #expect(try door.comes("c", from: "192.0.2.1") == .insteadOf("a"))
        door.speaks("b", "c")
        #expect(try door.comes("d", from: "192.0.2.1") == .refused(.address))
        #expect(try door.comes("e", from: "192.0.2.2") == .admitted)
        door.leaves("b")
        #expect(try door.comes("f", from: "192.0.2.1") == .admitted)
    }

    @Test(
        arguments: [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("::1", "127.0.0.1", false),
            ("::1", "0.0.0.0", false),
        ]
    )
    func `clients of one IPv4 address or one IPv6 network of 64 bits count together`(
        first: String,
        second: String,
        together: Bool
    ) throws {
        var door = Door(maximumClients: 10, maximumPerAddress: 1)
        try door.comes("a", from: first)
        door.speaks("a")
        #expect(try door.comes("b", from: second) == (together ? .refused(.address) : .admitted))
    }

    @Test func `limits below one admit one client`() throws {
        var door = Door(maximumClients: 0, maximumPerAddress: -1)
        #expect(try door.comes("a", from: "192.0.2.1") == .admitted)
        door.speaks("a")
        #expect(try door.comes("b", from: "192.0.2.1") == .refused(.address))
    }

    @Test func `thousands that come, speak and leave are counted as the rule says`() throws {
        var random = SplitMix(state: 7)
        for _ in 0..<20 {
            let limits = (clients: Int.random(in: 1...40, using: &random), each: Int.random(in: 1...20, using: &random))
            var door = Door(maximumClients: limits.clients, maximumPerAddress: limits.each)
            var rule = Rule(maximumClients: limits.clients, maximumPerAddress: limits.each)
            for step in 0..<2000 {
                let present = rule.clients.map(\.name)
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<6:
                    let from = "192.0.2.\(Int.random(in: 1...6, using: &random))"
                    let answer = try door.comes("\(step)", from: from)
                    let isRight = rule.allows(answer, for: "\(step)", from: from)
                    try #require(isRight, "step \(step): \(answer)")
                case 6..<8:
                    guard let name = present.randomElement(using: &random) else { continue }
                    door.speaks(name)
                    rule.speaks(name)
                default:
                    guard let name = present.randomElement(using: &random) else { continue }
                    door.leaves(name)
                    rule.leaves(name)
                }
                try #require(door.admission.count == rule.clients.count)
            }
        }
    }

    @Test func `a flood from thousands of addresses costs no more for each than one from few`() throws {
        func cost(addresses: Int) throws -> Duration {
            let from = try (0..<addresses).map { try address("10.0.\($0 >> 8).\($0 & 255)") }
            var admission = Admission(maximumClients: 4096, maximumPerAddress: 4096)
            return ContinuousClock().measure {
                for round in 0..<40_000 {
                    guard case .admittedInsteadOf(_, let evicted) = admission.admit(from: from[round % addresses])
                    else {
                        continue
                    }
                    admission.left(evicted)
                }
            }
        }
        let (few, many) = (try cost(addresses: 4), try cost(addresses: 4096))
        print("40000 connections from 4 addresses took \(few), from 4096 \(many)")
        #expect(many < max(few, .milliseconds(20)) * 20)
    }
}

/// An admission whose clients have names, and leave once they are driven out.
private struct Door {
    var admission: Admission
    private var tickets: [String: Admission.Ticket] = [:]
    private var names: [Admission.Ticket: String] = [:]

    enum Answer: Equatable {
        case admitted
        case insteadOf(String)
        case refused(Admission.Refusal)
    }

    init(maximumClients: Int, maximumPerAddress: Int) {
        admission = Admission(maximumClients: maximumClients, maximumPerAddress: maximumPerAddress)
    }

    @discardableResult
    mutating func comes(_ name: String, from text: String) throws -> Answer {
        switch admission.admit(from: try address(text)) {
        case .admitted(let ticket):
            enter(name, ticket)
            return .admitted
        case .admittedInsteadOf(let ticket, let evicted):
            let known = names.removeValue(forKey: evicted)
            let other = try #require(known)
            tickets[other] = nil
            // The connection's end is heard of a little later, behind anything it may have said.
            admission.sentRequest(evicted)
            admission.left(evicted)
            enter(name, ticket)
            return .insteadOf(other)
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    mutating func speaks(_ names: String...) {
        for name in names { if let ticket = tickets[name] { admission.sentRequest(ticket) } }
    }

    mutating func leaves(_ name: String) {
        guard let ticket = tickets.removeValue(forKey: name) else { return }
        names[ticket] = nil
        admission.left(ticket)
    }

    private mutating func enter(_ name: String, _ ticket: Admission.Ticket) {
        tickets[name] = ticket
        names[ticket] = name
    }
}

/// What an admission must do, in the plainest terms.
private struct Rule {
    let limit: Int
    let limitPerAddress: Int
    var clients: [(name: String, address: String, isSilent: Bool)] = []

    init(maximumClients: Int, maximumPerAddress: Int) {
        limit = maximumClients
        limitPerAddress = maximumPerAddress
    }

    mutating func speaks(_ name: String) {
        for index in clients.indices where clients[index].name == name { clients[index].isSilent = false }
    }

    mutating func leaves(_ name: String) {
        clients.removeAll { $0.name == name }
    }

    /// Whether it may answer so; then it is done.
    mutating func allows(_ answer: Door.Answer, for name: String, from address: String) -> Bool {
        let own = clients.filter { $0.address == address }
        let silent = Dictionary(grouping: clients.filter(\.isSilent), by: \.address)
        let isAddressFull = own.count >= limitPerAddress
        let isFull = clients.count >= limit
        switch answer {
        case .admitted:
            guard !isAddressFull, !isFull else { return false }
        case .refused(.address):
            return isAddressFull && silent[address] == nil
        case .refused(.listener):
            return !isAddressFull && isFull && silent.isEmpty
        case .insteadOf(let evicted):
            guard isAddressFull || isFull,
                let from = clients.first(where: { $0.name == evicted })?.address,
                silent[from]?.first?.name == evicted
            else { return false }
            let most = silent.values.map(\.count).max()
            if isAddressFull {
                guard from == address else { return false }
            } else {
                guard silent[from]?.count == most, from == address || silent[address]?.count != most else {
                    return false
                }
            }
            leaves(evicted)
        }
        clients.append((name, address, true))
        return true
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

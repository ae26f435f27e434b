import MultiplexerCore

/// Runs the real core through the events that the bytes of an input stand for, with an ``Oracle`` that watches each step.
///
/// The first bytes are settings; then each event is a byte that says which, and one or two that say of whom. Unlike the
/// simulation it has no model of a device: anything may come at any time, as long as the driver could bring it.
struct FuzzedSchedule {
    private var input: FuzzInput
    private let configuration: Multiplexer.Configuration
    private var core: Multiplexer
    private var oracle: Oracle
    private var actions: [Multiplexer.Action] = []
    private var trace: [String]?

    private var now = Duration.zero
    /// The deadline that the core asked for.
    private var asked: Duration?
    private var clients: [Client] = []
    private var lastClient: UInt32 = 0
    private var link: LinkID?
    /// A request could not be sent: the end of the connection is all that is still to come of it.
    private var hasEnded = false
    /// What was sent on the connection and has not ended.
    private var sent: [RequestID] = []
    /// What the device received, the last ones only.
    private var received: [Received] = []
    /// The serial number and what is known of each request id, and how often it was sent.
    private var requests: [(serial: Int, request: Request, sendings: Int)] = []
    private var freeRequests: [RequestID] = []
    private var serial = 0

    private struct Client {
        let id: ClientID
        var isPaused = false
        /// What it brought since it was paused: frames that were read already.
        var overrun = 0
    }

    private struct Received {
        let sending: Oracle.Sending
        let response: Response
        let link: LinkID
    }

    private static let clientLimit = 8
    private static let receivedLimit = 24
    private static let overrun = 2

    init(_ bytes: [UInt8]) {
        input = FuzzInput(bytes)
        let flags = input.byte()
        let initial = Duration.milliseconds(input.below(4) * 25)
        // Five times as many values as there are limits: what is left says how reads share.
        let (sharing, waitingLimit) = Int(input.byte()).quotientAndRemainder(dividingBy: 5)
        let maximumResponseAge = sharing / 4
        var configuration = Multiplexer.Configuration(
            carriesTransactionIDs: flags & 1 == 0,
            inFlightLimit: Int(flags >> 1) % 20,
            waitingLimit: waitingLimit,
            sharesReads: sharing & 1 == 0,
            maximumResponseAge: maximumResponseAge == 0 ? nil : .milliseconds((maximumResponseAge - 1) * 40),
            sendsWritesFirst: sharing & 2 != 0,
            responseTimeout: .milliseconds(1 + input.below(256)),
            queueTimeout: .milliseconds(1 + 4 * input.below(256)),
            broadcastDelay: .milliseconds(input.below(256)),
            connectTimeout: .milliseconds(1 + input.below(256)),
            delayAfterConnect: .milliseconds(input.below(3) * 40),
            backoff: Backoff(initial: initial, maximum: initial * (1 + input.below(8))),
            drainTimeout: .milliseconds(1 + 4 * input.below(256))
        )
        configuration.minimumGap = .milliseconds(input.below(128))
        configuration.settleTime = .milliseconds(input.below(128))
        configuration.linger = .milliseconds(input.below(256))
        // Zero is for none here.
        let idle = input.byte()
        configuration.idleClose = idle == 0 ? nil : .milliseconds(idle - 1)
        let age = input.byte()
        configuration.connectionLifetime = age == 0 ? nil : .milliseconds(4 * Int(age))
        self.configuration = configuration
        core = Multiplexer(configuration: configuration, seed: 1)
        oracle = Oracle(configuration, overrun: Self.overrun)
    }

    /// Runs the schedule to its end.
    mutating func run() throws(Violation) {
        let untouched = self
        do {
            while !input.isEmpty { try step() }
            try windUp()
        } catch {
            guard trace == nil else { throw Violation(story(of: error)) }
            var again = untouched
            again.trace = []
            try again.run()
            throw error
        }
    }

    private func story(of violation: Violation) -> String {
        "\(violation)\n\(configuration)\n\((trace ?? []).joined(separator: "\n"))"
    }

    /// All clients leave; nothing may be left.
    private mutating func windUp() throws(Violation) {
        while let client = clients.first { try leave(client.id) }
        for _ in 0..<100 {
            if let link {
                try close(link)
            } else if let asked {
                try visit(at: asked)
            } else {
                return try oracle.finish(core.statistics)
            }
        }
        throw Violation("the schedule does not end")
    }
}

// MARK: - Events

extension FuzzedSchedule {
    private mutating func step() throws(Violation) {
        switch input.below(12) {
        case 0:
            guard clients.count < Self.clientLimit else { return }
            lastClient += 1
            // The slots of those who left are used again.
            let free = (0..<Self.clientLimit).first { slot in !clients.contains { $0.id.slot == slot } }
            let client = ClientID(slot: free ?? 0, serial: lastClient)
            clients.append(Client(id: client))
            try feed(.clientJoined(client))
        case 1:
            if let client = input.pick(clients) { try leave(client.id) }
        case 2, 3, 4:
            if let index = input.pick(clients.indices) { try ask(index) }
        case 5:
            if let link, !hasEnded { try feed(.upstreamConnected(link)) }
        case 6:
            if let link { try close(link) }
        case 7, 8:
            if let chosen = input.pick(received) { try respond(chosen) }
        case 9:
            if let asked { try visit(at: asked + .milliseconds(input.below(4) * 50)) }
        case 10:
            now += .milliseconds(input.byte())
        default:
            try rare()
        }
    }

    private mutating func rare() throws(Violation) {
        let old = LinkID(rawValue: UInt64(input.below(8)))
        switch input.below(11) {
        case 0 where old != link: try feed(.upstreamConnected(old))
        case 1 where old != link: try feed(.upstreamClosed(old))
        case 2: try forge(on: old)
        case 3: if let link { try forge(on: link) }
        // A frame that was read before its client left.
        case 4: try ask(from: ClientID(slot: 0, serial: lastClient + 100))
        case 5: if let link, !hasEnded { try feed(.responseDamaged(.checksum, on: link)) }
        case 6: try feed(.responseDamaged(.checksum, on: old))
        case 7: try feed(.drainRequested)
        case 8: try takeBack()
        case 9: if let link { try close(link, midResponse: true) }
        // Else it does so when it answers.
        default: if let chosen = input.pick(received) { oracle.execute(chosen.sending) }
        }
    }

    /// A request did not leave, since the connection had ended.
    private mutating func takeBack() throws(Violation) {
        guard let link, let unsent = input.pick(sent) else { return }
        sent.removeAll { $0 == unsent }
        hasEnded = true
        try feed(.requestUnsent(unsent, on: link))
    }

    private mutating func leave(_ client: ClientID) throws(Violation) {
        clients.removeAll { $0.id == client }
        try feed(.clientLeft(client))
    }

    private mutating func close(_ closed: LinkID, midResponse: Bool = false) throws(Violation) {
        link = nil
        sent = []
        try feed(.upstreamClosed(closed, midResponse: midResponse))
    }

    private mutating func visit(at time: Duration) throws(Violation) {
        now = max(now, time)
        asked = nil
        try feed(.deadlineReached)
    }

    private mutating func ask(_ index: Int) throws(Violation) {
        if clients[index].isPaused {
            guard clients[index].overrun < Self.overrun else { return }
            clients[index].overrun += 1
        }
        try ask(from: clients[index].id)
    }

    private mutating func ask(from client: ClientID) throws(Violation) {
        let id: RequestID
        if let free = freeRequests.popLast() {
            id = free
        } else {
            id = RequestID(rawValue: UInt32(requests.count))
            requests.append((0, Request(correlation: .none, mayWrite: false), 0))
        }
        let kind = input.byte()
        let unit = [1, 2, nil, 1][Int(kind >> 4 & 3)] as UInt8?
        let mayWrite = kind & 0x40 != 0
        let read = UInt64(unit ?? .max) << 8 | UInt64(kind & 4) | UInt64(kind % 3)
        let request = Request(
            correlation: Correlation(rawValue: UInt64(kind % 3)),
            mayWrite: mayWrite,
            expectsResponse: kind & 0x80 == 0,
            unit: unit,
            read: mayWrite || kind & 8 == 0 ? nil : Request.Read(rawValue: read)
        )
        requests[Int(id.rawValue)] = (serial, request, 0)
        serial += 1
        try feed(.requestReceived(id, request, from: client))
    }

    /// The device answers something that it received: for the first time or again, in time or late.
    private mutating func respond(_ chosen: Received) throws(Violation) {
        var response = chosen.response
        let kind = input.byte()
        response.isLast = kind % 8 == 1
        response.isFailure = kind & 0x40 != 0
        if oracle.isMistakable(response, on: chosen.link, respondingTo: chosen.sending.serial) { return }
        if hasEnded, chosen.link == link { return }
        if !response.isFailure { oracle.execute(chosen.sending) }
        try feed(.responseReceived(response, on: chosen.link), respondingTo: chosen.sending)
    }

    /// The device says something that answers nothing.
    private mutating func forge(on link: LinkID) throws(Violation) {
        let kind = input.byte()
        let response = Response(
            transactionID: configuration.carriesTransactionIDs ? 0xF000 | UInt16(input.byte()) : 0,
            correlation: Correlation(rawValue: UInt64(kind % 3)),
            isUnsolicited: kind & 0x80 != 0
        )
        if oracle.isMistakable(response, on: link, respondingTo: nil) { return }
        if hasEnded, link == self.link { return }
        try feed(.responseReceived(response, on: link))
    }
}

// MARK: - The driver

extension FuzzedSchedule {
    private mutating func feed(
        _ event: Multiplexer.Event,
        respondingTo sending: Oracle.Sending? = nil
    ) throws(Violation) {
        actions.removeAll(keepingCapacity: true)
        core.handle(event, at: now, into: &actions)
        trace?.append("\(now.text) \(event.text) -> \(actions.map(\.text).joined(separator: ", "))")
        oracle.begin(event, at: now, respondingTo: sending?.serial, sending: sending?.number ?? 0)
        for action in actions {
            try oracle.check(action, at: now)
            carryOut(action)
        }
        try oracle.end(at: now, core.statistics)
    }

    private mutating func carryOut(_ action: Multiplexer.Action) {
        switch action {
        case .connect(let new):
            link = new
            hasEnded = false
        case .send(let id, let transactionID):
            let (serial, request, number) = requests[Int(id.rawValue)]
            requests[Int(id.rawValue)].sendings += 1
            let response = Response(transactionID: transactionID, correlation: request.correlation)
            let sending = Oracle.Sending(serial: serial, number: number)
            if received.count == Self.receivedLimit { received.removeFirst() }
            if let link { received.append(Received(sending: sending, response: response, link: link)) }
            sent.append(id)
        case .respond(let id, _), .respondCached(let id, _, _, _), .fail(let id, _, _), .complete(let id, _),
            .discard(let id):
            freeRequests.append(id)
            sent.removeAll { $0 == id }
        case .pauseReading(let client):
            setPaused(client, true)
        case .resumeReading(let client):
            setPaused(client, false)
        case .setDeadline(let deadline):
            asked = deadline
        case .disconnect, .cacheResponse, .closeClient, .report, .drained:
            break
        }
    }

    private mutating func setPaused(_ client: ClientID, _ isPaused: Bool) {
        guard let index = clients.firstIndex(where: { $0.id == client }) else { return }
        clients[index].isPaused = isPaused
        clients[index].overrun = 0
    }
}

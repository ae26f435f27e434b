import MultiplexerCore

/// The real core with an ``Oracle`` that watches each step, and the driver's part of their contract.
///
/// A stimulus that no driver could bring is passed over: a schedule of which parts were left out stays a possible one.
struct WatchedCore {
    private(set) var now = Duration.zero
    /// What the core did at the last stimulus.
    private(set) var actions: [Multiplexer.Action] = []
    /// The deadline that the core asked for.
    private(set) var asked: Duration?
    /// The newest connection, while something is left of it.
    private(set) var link: LinkID?
    /// What happened, `time event -> actions`; nil unless recording was asked for.
    var trace: [String]?

    private var core: Multiplexer
    private var oracle: Oracle
    private var lastLink: UInt64 = 0
    private var isConnected = false
    /// A request could not be sent: the end of the connection is all that is still to come of it.
    private var hasEnded = false
    private let overrun: Int
    private let promised: (inout Multiplexer.Configuration) -> Void
    /// By their number, from 1.
    private var clients: [Client] = []
    /// By their serial number.
    private var requests: [Asked?] = []
    private var freeIDs: [RequestID] = []
    /// The serial number that each id stands for, or stood for last.
    private var serials: [Int] = []
    /// How many requests the oracle has heard of.
    private var watched = 0
    /// The transaction ids that were sent, in their order.
    private var given: [UInt16] = []
    /// The serial numbers of requests that have not ended.
    private var open: Set<Int> = []

    private struct Client {
        /// What the core knows it as while it is here.
        var id: ClientID?
        var isPaused = false
        /// What it brought since it was paused: frames that had been read already.
        var overrun = 0
    }

    private struct Asked {
        let id: RequestID
        let request: Request
        let client: ClientID
        /// Its number for the oracle.
        let watchedAs: Int
        var sendings: [(transactionID: UInt16, link: LinkID)] = []
    }

    /// A core with this configuration, which is to keep it as `promised` changes it: not at all, except to try the oracle.
    init(
        _ configuration: Multiplexer.Configuration,
        promised: @escaping (inout Multiplexer.Configuration) -> Void,
        overrun: Int,
        seed: UInt64
    ) {
        core = Multiplexer(configuration: configuration, seed: seed)
        var expected = configuration
        promised(&expected)
        oracle = Oracle(expected, overrun: overrun)
        (self.overrun, self.promised) = (overrun, promised)
    }

    var statistics: Multiplexer.Statistics { core.statistics }

    /// The newest connection's number, counted back to a given one.
    func age(of link: LinkID) -> Int { Int(lastLink - link.rawValue) }

    /// How often a request was sent, less one.
    func lastSending(of serial: Int) -> Int { (requests[serial]?.sendings.count ?? 0) - 1 }

    func serial(of id: RequestID) -> Int { serials[Int(id.rawValue)] }

    /// Which of the model's clients the core means, from 0.
    func place(of client: ClientID) -> Int { Int(client.rawValue >> 32) - 1 }

    func request(_ serial: Int) -> Request? { requests[serial]?.request }

    /// Lets the core know what happened; false if it could not have.
    mutating func feed(_ stimulus: Stimulus) throws(Violation) -> Bool {
        actions.removeAll(keepingCapacity: true)
        if case .carriesOut(let serial, let sending) = stimulus.fact { return carryOut(serial, sending) }
        guard let (event, meant) = event(for: stimulus.fact) else { return false }
        now = max(now, stimulus.time)
        if case .visit = stimulus.fact {
            now = max(now, asked ?? now)
            asked = nil
        }
        core.handle(event, at: now, into: &actions)
        trace?.append("\(now.text) \(event.text) -> \(actions.map(\.text).joined(separator: ", "))")
        oracle.begin(expected(event), at: now, respondingTo: meant?.serial, sending: meant?.number ?? 0)
        for action in actions {
            try oracle.check(action, at: now)
            record(action)
        }
        try oracle.end(at: now, core.statistics)
        return true
    }

    /// Everything is quiet: nothing may be left.
    func finish() throws(Violation) { try oracle.finish(core.statistics) }
}

// MARK: - The driver

extension WatchedCore {
    /// The device carries out a request that was sent.
    private mutating func carryOut(_ serial: Int, _ sending: Int) -> Bool {
        guard let asked = known(serial), asked.sendings.indices.contains(sending) else { return false }
        oracle.execute(Oracle.Sending(serial: asked.watchedAs, number: sending))
        trace?.append("\(now.text) \(asked.request.text) \(asked.id.rawValue) is carried out")
        return true
    }

    /// The event as the oracle is to take it.
    private func expected(_ event: Multiplexer.Event) -> Multiplexer.Event {
        guard case .configurationReplaced(var configuration) = event else { return event }
        promised(&configuration)
        return .configurationReplaced(configuration)
    }

    /// The event that a fact means now, and what it answers as the oracle counts requests.
    private mutating func event(for fact: Stimulus.Fact) -> (Multiplexer.Event, meant: Oracle.Sending?)? {
        switch fact {
        case .joins(let client):
            let index = Int(client.rawValue) - 1
            while clients.count <= index { clients.append(Client()) }
            guard clients[index].id == nil else { return nil }
            // The slots of those who left are used again.
            let used = Set(clients.compactMap { $0.id?.slot })
            let slot = (0...used.count).first { !used.contains($0) } ?? used.count
            let id = ClientID(slot: slot, serial: UInt32(index + 1))
            clients[index].id = id
            // Several come from one place.
            return (.clientJoined(id, from: IPAddress(bytes: [192, 0, 2, UInt8(client.rawValue % 3)])), nil)
        case .leaves(let client):
            guard let id = known(client) else { return nil }
            clients[Int(client.rawValue) - 1].id = nil
            return (.clientLeft(id), nil)
        case .asks(let serial, let request, let client):
            return ask(serial, request, client).map { ($0, nil) }
        case .repeats(let serial):
            guard let asked = known(serial), known(asked.client) != nil, self.serial(of: asked.id) == serial,
                isOpen(serial)
            else { return nil }
            return (.requestRepeated(asked.id), nil)
        case .connected(let age):
            guard age > 0 || (link != nil && !isConnected) else { return nil }
            if age == 0 { isConnected = true }
            return linkID(age).map { (.upstreamConnected($0), nil) }
        case .closed(let age, let midResponse):
            guard let closed = linkID(age), age > 0 || link != nil else { return nil }
            if age == 0 { link = nil }
            return (.upstreamClosed(closed, midResponse: midResponse), nil)
        case .unsent(let serial):
            guard let asked = known(serial), let link, asked.sendings.last?.link == link else { return nil }
            hasEnded = true
            return (.requestUnsent(asked.id, on: link), nil)
        case .says(let message):
            return event(for: message)
        case .damages(let message, let cause, let isInStep):
            guard let asked = known(message.serial), asked.sendings.indices.contains(message.sending), !hasEnded else {
                return nil
            }
            let (own, on) = asked.sendings[message.sending]
            guard own != 0 || !oracle.isBusy(on, with: asked.watchedAs) else { return nil }
            let damage = ResponseDamage(transactionID: own, cause, isInStep: isInStep)
            return (.responseDamaged(damage, on: on), nil)
        case .noise(let bytes, let age):
            guard !hasEnded || age > 0 else { return nil }
            return linkID(age).map { (.noiseReceived(bytes: bytes, on: $0), nil) }
        case .carriesOut:
            return nil
        case .visit:
            return asked == nil ? nil : (.deadlineReached, nil)
        case .configures(let configuration):
            return (.configurationReplaced(configuration), nil)
        case .releases(let duration):
            return (.released(for: duration), nil)
        case .resumes:
            return (.resumed, nil)
        case .drain:
            return (.drainRequested, nil)
        }
    }

    private mutating func ask(_ serial: Int, _ request: Request, _ client: ClientID) -> Multiplexer.Event? {
        let index = Int(client.rawValue) - 1
        guard let sender = known(client), !clients[index].isPaused || clients[index].overrun < overrun else {
            return nil
        }
        if clients[index].isPaused { clients[index].overrun += 1 }
        let id: RequestID
        if let free = freeIDs.popLast() {
            id = free
            serials[Int(id.rawValue)] = serial
        } else {
            id = RequestID(rawValue: UInt32(serials.count))
            serials.append(serial)
        }
        while requests.count <= serial { requests.append(nil) }
        requests[serial] = Asked(id: id, request: request, client: client, watchedAs: watched)
        watched += 1
        open.insert(serial)
        return .requestReceived(id, request, from: sender)
    }

    private mutating func event(for message: Message) -> (Multiplexer.Event, meant: Oracle.Sending?)? {
        guard let asked = known(message.serial), asked.sendings.indices.contains(message.sending) else { return nil }
        let (own, on) = asked.sendings[message.sending]
        guard !hasEnded || on != link else { return nil }
        let transactionID =
            switch message.transactionID {
            case .own: own
            case .older(let age): own == 0 ? 0 : older(age, than: own)
            case .foreign(let id): own == 0 ? 0 : id
            case .zero: UInt16(0)
            case .swapped: own.byteSwapped
            case .next: own == 0 ? 0 : own &+ 1
            }
        let response = Response(
            transactionID: transactionID,
            correlation: message.correlation ?? asked.request.correlation,
            isUnsolicited: message.isUnsolicited,
            isLast: message.isLast,
            isFailure: message.isFailure,
            content: message.isFailure ? .any : content(of: message, asked.request.expectedContent),
            surplus: message.saying == .surplus && !message.isFailure ? 1 : 0
        )
        let meant = message.isResponse ? Oracle.Sending(serial: asked.watchedAs, number: message.sending) : nil
        if oracle.isMistakable(response, on: on, respondingTo: meant?.serial) { return nil }
        if let meant, !message.isFailure { oracle.execute(meant) }
        return (.responseReceived(response, on: on), meant)
    }

    private func content(of message: Message, _ asked: Content) -> Content {
        switch (message.saying, asked) {
        case (.wide, .values(let bytes)): .values(bytes: bytes + 2)
        case (.wrong, .values(let bytes)): .values(bytes: bytes - 1)
        case (.wrong, .echo(let value)): .echo(value &+ 1)
        default: asked
        }
    }

    /// An id that was given before another.
    private func older(_ age: UInt16, than id: UInt16) -> UInt16 {
        guard let place = given.lastIndex(of: id), place >= age else { return id.byteSwapped == id ? id : 0 }
        return given[place - Int(age)]
    }

    /// Whether a request has not ended.
    private func isOpen(_ serial: Int) -> Bool { open.contains(serial) }

    private func known(_ serial: Int) -> Asked? { requests.indices.contains(serial) ? requests[serial] : nil }

    private func known(_ client: ClientID) -> ClientID? {
        let index = Int(client.rawValue) - 1
        return clients.indices.contains(index) ? clients[index].id : nil
    }

    private func linkID(_ age: Int) -> LinkID? {
        UInt64(age) < lastLink ? LinkID(rawValue: lastLink - UInt64(age)) : nil
    }

    private mutating func record(_ action: Multiplexer.Action) {
        switch action {
        case .connect(let id):
            link = id
            lastLink = id.rawValue
            isConnected = false
            hasEnded = false
        case .send(let id, let transactionID):
            if let link { requests[serial(of: id)]?.sendings.append((transactionID, link)) }
            given.append(transactionID)
        case .respond(let id, _), .respondCached(let id, _, _, _), .fail(let id, _, _), .complete(let id, _),
            .discard(let id):
            freeIDs.append(id)
            open.remove(serial(of: id))
        case .pauseReading(let client):
            clients[place(of: client)].isPaused = true
        case .resumeReading(let client):
            clients[place(of: client)].isPaused = false
            clients[place(of: client)].overrun = 0
        case .setDeadline(let deadline):
            asked = deadline
        case .disconnect, .cacheResponse, .closeClient, .report, .drained:
            break
        }
    }
}

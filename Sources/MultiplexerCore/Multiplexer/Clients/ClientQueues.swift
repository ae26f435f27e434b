extension Multiplexer {
    /// The clients and what they wait for: a queue each, served round robin, and reading paused while one is full.
    ///
    /// ```
    ///  turns:  A ─ C ─ D     the client served goes to the end; with writes first, those whose next request is a write
    ///  urgent: B             stand apart, and both lines take turns
    /// ```
    ///
    /// All requests that wait share one table, by their ids: no queue has memory of its own.
    struct ClientQueues {
        /// How many requests of one client may wait before its reading pauses.
        private var limit: Int
        private var sharesReads: Bool
        private var sendsWritesFirst: Bool

        /// By their slots; those of clients that have gone are not read.
        private var clients: [Client] = []
        private var count = 0
        /// How many of them have asked anything.
        private var askingClients = 0

        private var requests: [Waiting?] = []
        private var requestNodes = LinkedLists()

        /// The clients with waiting requests, the one whose turn is next first.
        private var turns = LinkedLists.List()
        private var urgent = LinkedLists.List()
        private var turnNodes = LinkedLists()
        private var wasUrgent = false
        private var lastServed: Int?
        /// Served last or let share an answer.
        private var lastDequeued: Int?
        /// The next reads of the clients with waiting requests.
        private var reads = ReadIndex()
        /// From where clients came on whose requests the device hung up, and until when that is remembered.
        private var notorious: [(origin: IPAddress, until: Duration)] = []

        private struct Client {
            /// Nil where there is none.
            var id: ClientID?
            /// Its network; nil if nobody knows.
            var origin: IPAddress?
            var waiting = LinkedLists.List()
            /// How many of its requests are in flight.
            var inFlight = 0
            var hasAsked = false
            var gotResponse = false
            /// How far it is from being trusted: what was answered for it brings it nearer, and hang-ups take it away.
            var distrust = 0
            var isPaused = false
            var isClosing = false
            /// In which of the two lines it stands.
            var isUrgent = false

            /// How many answers make up for a hang-up, also for one on another client of the same origin.
            static let hangUpDistrust = 4
            static let greatestDistrust = 16
        }

        /// How many origins are remembered; then the oldest is forgotten.
        private static let notoriousLimit = 64

        /// A request taken from its client's queue.
        struct Dequeued {
            var client: ClientID
            var request: Waiting
            /// Reading the paused client is to go on.
            var resumes: Bool
        }

        init(_ configuration: Configuration) {
            limit = configuration.waitingLimit
            sharesReads = configuration.sharesReads
            sendsWritesFirst = configuration.sendsWritesFirst
        }

        /// Whether there is no client.
        var isEmpty: Bool { count == 0 }

        /// Whether there is a client that has asked for anything.
        var hasAskingClients: Bool { askingClients > 0 }

        /// The clients in the order in which they came, so that equal events give equal actions.
        var all: [ClientID] { clients.compactMap(\.id).sorted() }

        /// How many clients wait.
        var waitingClients: Int { turns.count + urgent.count }

        var hasWaiting: Bool { waitingClients > 0 }

        /// When the first waiting request expires.
        var earliestDeadline: Duration? {
            waitingSlots.compactMap { first($0)?.deadline }.min()
        }

        mutating func add(_ client: ClientID, from origin: IPAddress?, at now: Duration) {
            while clients.count <= client.slot { clients.append(Client()) }
            clients[client.slot] = Client(id: client, origin: origin)
            count += 1
            guard let origin, notorious.contains(where: { $0.origin == origin && now < $0.until }) else { return }
            distrust(client.slot, by: Client.hangUpDistrust)
        }

        func contains(_ client: ClientID) -> Bool {
            client.slot < clients.count && clients[client.slot].id == client
        }

        /// Whether a client waits for nothing that is yet to be sent.
        func isIdle(_ client: ClientID) -> Bool { isIdle(client.slot) }

        /// Whether a request of a client is in flight.
        func hasInFlight(_ client: ClientID) -> Bool { clients[client.slot].inFlight > 0 }

        /// A client asks.
        mutating func sentRequest(_ client: ClientID) {
            guard !clients[client.slot].hasAsked else { return }
            clients[client.slot].hasAsked = true
            askingClients += 1
        }

        /// Whether no hang-up is held against a client, or its answers have made up for it.
        func trusts(_ client: ClientID) -> Bool { clients[client.slot].distrust == 0 }

        /// The device answered a client's request.
        mutating func deviceResponded(to client: ClientID) {
            clients[client.slot].gotResponse = true
            if clients[client.slot].distrust > 0 { clients[client.slot].distrust -= 1 }
        }

        /// The device hung up on a client's request: that is held against it, and against those of its origin that were
        /// never answered or are still to come.
        mutating func deviceHungUp(on client: ClientID, at now: Duration) {
            guard contains(client) else { return }
            distrust(client.slot, by: Client.hangUpDistrust)
            if let origin = clients[client.slot].origin { deviceHungUp(onClientFrom: origin, at: now) }
        }

        /// The device hung up on the request of a client that came from there.
        mutating func deviceHungUp(onClientFrom origin: IPAddress, at now: Duration) {
            let until = now + CircuitBreakers.memory
            // Those who shared one request mostly come from one place.
            if let last = notorious.last, last.origin == origin, last.until == until { return }
            notorious.removeAll { $0.origin == origin || $0.until <= now }
            if notorious.count == Self.notoriousLimit { notorious.removeFirst() }
            notorious.append((origin, until))
            for slot in clients.indices where clients[slot].id != nil && clients[slot].origin == origin {
                if !clients[slot].gotResponse {
                    clients[slot].distrust = max(clients[slot].distrust, Client.hangUpDistrust)
                }
            }
        }

        private mutating func distrust(_ slot: Int, by distrust: Int) {
            clients[slot].distrust = min(clients[slot].distrust + distrust, Client.greatestDistrust)
        }

        /// A request of a client is in flight.
        mutating func flightBegan(of client: ClientID) { clients[client.slot].inFlight += 1 }

        /// A request of a client is no longer in flight.
        mutating func flightEnded(of client: ClientID) {
            if contains(client) { clients[client.slot].inFlight -= 1 }
        }

        /// From where a client comes; nil if nobody knows.
        func origin(of client: ClientID) -> IPAddress? { contains(client) ? clients[client.slot].origin : nil }

        /// Forgets a client and returns what it waited for; nil if it is not known.
        mutating func remove(_ client: ClientID) -> [Waiting]? {
            guard contains(client) else { return nil }
            var left: [Waiting] = []
            if !isIdle(client.slot) { leaveLine(client.slot) }
            if lastServed == client.slot { lastServed = nil }
            while let request = popFirst(client.slot) { left.append(request) }
            clients[client.slot].id = nil
            count -= 1
            if clients[client.slot].hasAsked { askingClients -= 1 }
            return left
        }
    }
}

// MARK: - Waiting

extension Multiplexer.ClientQueues {
    /// Queues a request.
    ///
    /// - Returns: Whether the client's reading is to pause.
    mutating func enqueue(_ request: Multiplexer.Waiting, of client: ClientID) -> Bool {
        let slot = client.slot
        let wasIdle = isIdle(slot)
        var request = request
        // Only where times have become shorter since.
        if let last = clients[slot].waiting.last, let before = requests[last], before.deadline > request.deadline {
            request.deadline = before.deadline
        }
        store(request)
        requestNodes.append(Int(request.id.rawValue), to: &clients[slot].waiting)
        if wasIdle { standInLine(slot) }
        guard clients[slot].waiting.count >= limit, !clients[slot].isPaused else { return false }
        clients[slot].isPaused = true
        return true
    }

    /// Puts a request back to where it was taken from: it and its client are next.
    mutating func putBack(_ request: Multiplexer.Waiting, of client: ClientID) {
        guard contains(client) else { return }
        let slot = client.slot
        if !isIdle(slot) { leaveLine(slot) }
        store(request)
        requestNodes.prepend(Int(request.id.rawValue), to: &clients[slot].waiting)
        if let next = requestNodes.next(after: Int(request.id.rawValue)) {
            raiseDeadlines(from: next, to: request.deadline)
        }
        standInLine(slot, asFirst: true)
    }

    /// Lets all others have their turn before a client that waits.
    mutating func yieldTurn(of client: ClientID) {
        guard contains(client), !isIdle(client.slot) else { return }
        leaveLine(client.slot)
        standInLine(client.slot)
    }

    /// A waiting request has more time, and so have those of its client that wait after it; false if it does not wait.
    mutating func extend(_ id: RequestID, to deadline: Duration) -> Bool {
        guard requests.indices.contains(Int(id.rawValue)), requests[Int(id.rawValue)] != nil else { return false }
        raiseDeadlines(from: Int(id.rawValue), to: deadline)
        return true
    }

    /// In a queue no deadline comes before that of the request in front, so that the first one tells what expires next.
    private mutating func raiseDeadlines(from first: Int, to deadline: Duration) {
        var member: Int? = first
        while let index = member, let request = requests[index], request.deadline < deadline {
            requests[index]?.deadline = deadline
            member = requestNodes.next(after: index)
        }
    }

    /// What the client whose turn it is asks next.
    var next: Multiplexer.Waiting? {
        nextLine.first.flatMap { first($0) }
    }

    /// Takes the first request of the client whose turn it is.
    mutating func dequeueNext() -> Dequeued? {
        guard let slot = nextLine.first else { return nil }
        wasUrgent = clients[slot].isUrgent
        lastServed = slot
        return dequeue(slot)
    }

    /// Takes the next request of any client that is this read, with no write to the same unit between them.
    ///
    /// Those of one client come one after the other, beginning with the client of the request taken last.
    mutating func dequeueEqual(to read: Request.Read, generation: UInt64) -> Dequeued? {
        let key = ReadIndex.Key(read: read, generation: generation)
        if let lastDequeued, reads.contains(lastDequeued, under: key) { return dequeue(lastDequeued) }
        return reads.first(under: key).flatMap { dequeue($0) }
    }

    /// Takes all requests whose time has run out; whoever waits for more keeps its place.
    mutating func dequeueExpired(at now: Duration) -> [Dequeued] {
        var expired: [Dequeued] = []
        for slot in waitingSlots {
            while let request = first(slot), request.deadline <= now, let dequeued = dequeue(slot, endsTurn: false) {
                expired.append(dequeued)
            }
        }
        return expired
    }

    /// Other limits hold from now on: all who wait stand in line anew, in the order in which they did.
    ///
    /// - Returns: The clients whose reading is to pause, and those whose reading is to go on.
    mutating func replaceConfiguration(
        by configuration: Multiplexer.Configuration
    ) -> (paused: [ClientID], resumed: [ClientID]) {
        limit = max(configuration.waitingLimit, 1)
        if (sharesReads, sendsWritesFirst) != (configuration.sharesReads, configuration.sendsWritesFirst) {
            let waiting = waitingSlots
            for slot in waiting { leaveLine(slot) }
            (sharesReads, sendsWritesFirst) = (configuration.sharesReads, configuration.sendsWritesFirst)
            for slot in waiting { standInLine(slot) }
        }
        var (paused, resumed): ([ClientID], [ClientID]) = ([], [])
        for client in all {
            let count = clients[client.slot].waiting.count
            if !clients[client.slot].isPaused, count >= limit {
                clients[client.slot].isPaused = true
                paused.append(client)
            } else if clients[client.slot].isPaused, count <= limit / 2 {
                clients[client.slot].isPaused = false
                resumed.append(client)
            }
        }
        return (paused, resumed)
    }

    /// Marks a client as one to be closed.
    ///
    /// - Returns: Whether it is to be closed now, which is so once.
    mutating func closes(_ client: ClientID) -> Bool {
        guard contains(client), !clients[client.slot].isClosing else { return false }
        clients[client.slot].isClosing = true
        return true
    }

    private mutating func dequeue(_ slot: Int, endsTurn: Bool = true) -> Dequeued? {
        lastDequeued = slot
        let wasUrgent = clients[slot].isUrgent
        if endsTurn { leaveLine(slot) } else { reads.remove(slot) }
        guard let client = clients[slot].id, let request = popFirst(slot) else { return nil }
        if endsTurn {
            if !isIdle(slot) { standInLine(slot) }
        } else if isIdle(slot) || isUrgent(slot) != wasUrgent {
            leaveLine(slot)
            if !isIdle(slot) { standInLine(slot) }
        } else {
            index(slot)
        }
        let resumes = clients[slot].isPaused && clients[slot].waiting.count <= limit / 2
        if resumes { clients[slot].isPaused = false }
        return Dequeued(client: client, request: request, resumes: resumes)
    }

    private func isIdle(_ slot: Int) -> Bool { clients[slot].waiting.isEmpty }

    private func first(_ slot: Int) -> Multiplexer.Waiting? {
        clients[slot].waiting.first.flatMap { requests[$0] }
    }

    private mutating func store(_ request: Multiplexer.Waiting) {
        let index = Int(request.id.rawValue)
        while requests.count <= index { requests.append(nil) }
        requests[index] = request
    }

    private mutating func popFirst(_ slot: Int) -> Multiplexer.Waiting? {
        guard let index = requestNodes.popFirst(of: &clients[slot].waiting) else { return nil }
        defer { requests[index] = nil }
        return requests[index]
    }
}

// MARK: - Turns

extension Multiplexer.ClientQueues {
    /// Whose turn it is: both lines take turns while both wait, unless that gave one client two turns in a row.
    private var nextLine: LinkedLists.List {
        guard !urgent.isEmpty, !turns.isEmpty else { return urgent.isEmpty ? turns : urgent }
        return (wasUrgent ? turns.first != lastServed : urgent.first == lastServed) ? turns : urgent
    }

    private var waitingSlots: [Int] {
        var slots: [Int] = []
        for line in [urgent, turns] {
            var member = line.first
            while let slot = member {
                slots.append(slot)
                member = turnNodes.next(after: slot)
            }
        }
        return slots
    }

    private func isUrgent(_ slot: Int) -> Bool { sendsWritesFirst && first(slot)?.request.mayWrite == true }

    private mutating func standInLine(_ slot: Int, asFirst: Bool = false) {
        clients[slot].isUrgent = isUrgent(slot)
        if clients[slot].isUrgent {
            asFirst ? turnNodes.prepend(slot, to: &urgent) : turnNodes.append(slot, to: &urgent)
        } else {
            asFirst ? turnNodes.prepend(slot, to: &turns) : turnNodes.append(slot, to: &turns)
        }
        index(slot)
    }

    private mutating func index(_ slot: Int) {
        guard sharesReads, let request = first(slot), let read = request.request.read else { return }
        reads.insert(slot, under: ReadIndex.Key(read: read, generation: request.generation))
    }

    private mutating func leaveLine(_ slot: Int) {
        if clients[slot].isUrgent {
            turnNodes.remove(slot, from: &urgent)
        } else {
            turnNodes.remove(slot, from: &turns)
        }
        reads.remove(slot)
    }

    private typealias ReadIndex = Multiplexer.ReadIndex
}

import DequeModule

extension Multiplexer {
    /// The clients and what they wait for: a queue each, served round robin, and reading paused while one is full.
    struct ClientQueues {
        /// How many requests of one client may wait before its reading pauses.
        private let limit: Int
        private var clients: [ClientID: Client] = [:]
        /// The clients with waiting requests, the one whose turn is next first.
        ///
        /// It may still name clients that left.
        private var turns: Deque<ClientID> = []

        private struct Client {
            var waiting: Deque<Waiting> = []
            var isPaused = false
            var isClosing = false

            /// Queues a request and says how many wait now.
            mutating func wait(_ request: Waiting) -> Int {
                waiting.append(request)
                return waiting.count
            }
        }

        init(limit: Int) {
            self.limit = limit
        }

        /// Whether there is no client.
        var isEmpty: Bool { clients.isEmpty }

        /// The clients in the order in which they came, so that equal events give equal actions.
        var all: [ClientID] { clients.keys.sorted() }

        var hasWaiting: Bool { turns.contains { clients[$0]?.waiting.isEmpty == false } }

        /// When the first waiting request expires.
        var earliestDeadline: Duration? { clients.values.compactMap { $0.waiting.first?.deadline }.min() }

        func contains(_ client: ClientID) -> Bool { clients[client] != nil }

        mutating func add(_ client: ClientID) {
            clients[client] = Client()
        }

        /// Forgets a client and returns what it waited for; nil if it is not known.
        mutating func remove(_ client: ClientID) -> Deque<Waiting>? {
            clients.removeValue(forKey: client)?.waiting
        }

        /// Queues a request; says whether reading its client is to pause from now on.
        mutating func enqueue(_ request: Waiting, of client: ClientID) -> Bool {
            let waiting = clients[client, default: Client()].wait(request)
            if waiting == 1 { turns.append(client) }
            guard waiting >= limit, clients[client]?.isPaused == false else { return false }
            clients[client]?.isPaused = true
            return true
        }

        /// Puts a request back to where it was taken from: it and its client are next.
        mutating func putBack(_ request: Waiting, of client: ClientID) {
            clients[client]?.waiting.prepend(request)
            turns.removeAll { $0 == client }
            turns.prepend(client)
        }

        /// Takes the first request of the client whose turn it is.
        mutating func next() -> (client: ClientID, request: Waiting)? {
            while let client = turns.popFirst() {
                guard let request = clients[client]?.waiting.popFirst() else { continue }
                if clients[client]?.waiting.isEmpty == false { turns.append(client) }
                return (client, request)
            }
            return nil
        }

        /// Takes all requests of the client whose turn it is.
        mutating func nextQueue() -> (client: ClientID, requests: Deque<Waiting>)? {
            while let client = turns.popFirst() {
                guard let requests = clients[client]?.waiting else { continue }
                clients[client]?.waiting.removeAll()
                return (client, requests)
            }
            return nil
        }

        /// Takes a client's first request if its time has run out.
        mutating func nextExpired(of client: ClientID, at now: Duration) -> Waiting? {
            guard let request = clients[client]?.waiting.first, request.deadline <= now else { return nil }
            return clients[client]?.waiting.popFirst()
        }

        /// Takes clients without requests out of the turns.
        mutating func tidyTurns() {
            turns.removeAll { clients[$0]?.waiting.isEmpty ?? true }
        }

        /// Says whether reading a paused client is to go on: half of its queue is free again.
        mutating func resumes(_ client: ClientID) -> Bool {
            guard let state = clients[client], state.isPaused, state.waiting.count <= limit / 2 else { return false }
            clients[client]?.isPaused = false
            return true
        }

        /// Says whether a client is to be closed now, which is said once.
        mutating func closes(_ client: ClientID) -> Bool {
            guard clients[client]?.isClosing == false else { return false }
            clients[client]?.isClosing = true
            return true
        }
    }
}

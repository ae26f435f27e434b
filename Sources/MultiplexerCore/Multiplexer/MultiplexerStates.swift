extension Multiplexer {
    /// How far a shutdown is.
    enum Drain: Equatable {
        /// Exits: finishing.
        case notRequested
        /// Requests are in flight. Exits: closing, overdue.
        case finishing(until: Duration)
        /// Clients and the connection are being closed. Exits: done, overdue.
        case closing(until: Duration)
        /// Its time ran out. Exits: done.
        case overdue
        /// Over.
        case done

        var deadline: Duration? {
            switch self {
            case .finishing(let deadline), .closing(let deadline): deadline
            case .notRequested, .overdue, .done: nil
            }
        }
    }

    struct Waiting {
        var id: RequestID
        /// Its place in the order in which requests came.
        var number: Int
        var request: Request
        var deadline: Duration
        /// How often its unit had been written to when it came.
        var generation: UInt64
        /// Whether it was sent before, to a connection that ended.
        var isRepeat = false
    }

    /// Who gets the response of a request in flight.
    struct Asker {
        var client: ClientID
        var request: RequestID
        var number: Int
        var deadline: Duration
        var generation: UInt64
        var isRepeat: Bool

        init(_ waiting: Waiting, of client: ClientID) {
            self.client = client
            request = waiting.id
            number = waiting.number
            deadline = waiting.deadline
            generation = waiting.generation
            isRepeat = waiting.isRepeat
        }
    }

    struct InFlight {
        var transactionID: UInt16
        var request: Request
        /// The id that it was sent under.
        var sentAs: RequestID
        var sentAt: Duration
        var deviceDeadline: Duration
        /// How often its unit had been written to when it was sent.
        var generation: UInt64
        /// No byte of it has left.
        var isUnsent = false
        /// Who is left of those that asked: nobody, if their clients have gone or their time was up.
        var askers: Askers

        /// Whether sending it again could change nothing, and bring its answer.
        var isRead: Bool { !request.mayWrite && request.expectsResponse }

        /// How many clients asked; requests of one stand together.
        var clients: Int {
            var (count, last) = (0, ClientID?.none)
            for asker in askers where asker.client != last { (count, last) = (count + 1, asker.client) }
            return count
        }

        func isAnswered(by response: Response) -> Bool {
            request.expectsResponse && matches(response)
        }

        /// Whether the device takes a broadcast for a request like others.
        func isBroadcast(answeredBy response: Response) -> Bool {
            !request.expectsResponse && matches(response)
        }

        private func matches(_ response: Response) -> Bool {
            transactionID == response.transactionID && request.correlation == response.correlation
        }
    }
}

extension Multiplexer {
    /// Those who share a response, mostly one: only more of them take memory.
    struct Askers: RandomAccessCollection {
        private var first: Asker?
        private var others: [Asker] = []

        init(_ first: Asker) {
            self.first = first
        }

        var startIndex: Int { first == nil ? 1 : 0 }
        var endIndex: Int { 1 + others.count }

        subscript(index: Int) -> Asker {
            if index == 0, let first { first } else { others[index - 1] }
        }

        mutating func append(_ asker: Asker) { others.append(asker) }

        /// Removes those for whom `isRemoved` says so, and returns them.
        mutating func remove(where isRemoved: (Asker) -> Bool) -> [Asker] {
            guard contains(where: isRemoved) else { return [] }
            let removed = filter(isRemoved)
            others.removeAll(where: isRemoved)
            if let leader = first, isRemoved(leader) { first = nil }
            return removed
        }
    }
}

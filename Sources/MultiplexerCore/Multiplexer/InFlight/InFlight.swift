extension Multiplexer {
    /// A request whose client gets the response of a request in flight: that one, or an equal read.
    struct Waiter {
        var client: ClientID
        var request: RequestID
        var number: Int
        var deadline: Duration
        var generation: UInt64
        var isRepeat: Bool
        var mayHaveLeft: Bool

        init(_ waiting: Waiting, of client: ClientID) {
            self.client = client
            request = waiting.id
            number = waiting.number
            deadline = waiting.deadline
            generation = waiting.generation
            isRepeat = waiting.isRepeat
            mayHaveLeft = waiting.mayHaveLeft
        }
    }

    struct InFlight {
        var transactionID: UInt16
        var request: Request
        /// The id that it was sent under, which may be another's as soon as its client has left.
        var sentAs: RequestID
        var sentAt: Duration
        var deviceDeadline: Duration
        /// How often its unit had been written to when it was sent.
        var generation: UInt64
        /// Nothing else is in flight with it.
        var isAlone: Bool
        /// No byte of it has left.
        var isUnsent = false
        /// The address of a client that asked and has gone.
        var leftFrom: IPAddress?
        /// The requests that still wait for the response: none, if their clients have gone or their time was up.
        var waiters: Waiters

        /// The first request that still waits for the response.
        var waiter: RequestID? { waiters.first?.request }

        /// Whether sending it again could change nothing, and bring its answer.
        var isRead: Bool { !request.mayWrite && request.expectsResponse }

        /// How many clients asked; requests of one stand together.
        var clients: Int {
            var (count, last) = (0, ClientID?.none)
            for waiter in waiters where waiter.client != last { (count, last) = (count + 1, waiter.client) }
            return count
        }

        /// Whether a response is the answer without doubt, right or damaged: by its id, or by all that it says where there is none.
        func isMatched(by response: Response, carryingIDs: Bool) -> Bool {
            guard request.expectsResponse, transactionID == response.transactionID else { return false }
            return carryingIDs || damage(in: response) == nil
        }

        /// Whether the device takes a broadcast for a request like others.
        func isBroadcast(matchedBy response: Response) -> Bool {
            !request.expectsResponse && transactionID == response.transactionID
                && request.correlation == response.correlation
        }

        /// What is wrong with an answer; nil if it is right.
        func damage(in response: Response) -> ResponseDamage.Cause? {
            guard request.correlation == response.correlation else {
                return .other(response.correlation, expected: request.correlation)
            }
            guard !response.isFailure else { return nil }
            switch (request.expectedContent, response.content) {
            case (.any, _): return nil
            case (.values(let expected), .values(let bytes)):
                return bytes < expected ? .tooFewValues(bytes: bytes, expected: expected) : nil
            case (.values(let expected), _): return .tooFewValues(bytes: 0, expected: expected)
            case (.echo, _): return request.expectedContent == response.content ? nil : .echo
            }
        }

        /// How many bytes of values were asked for and came, if more came.
        func wideValues(in response: Response) -> (bytes: Int, expected: Int)? {
            guard case .values(let expected) = request.expectedContent, case .values(let bytes) = response.content,
                bytes > expected
            else { return nil }
            return (bytes, expected)
        }
    }
}

extension Multiplexer {
    /// The requests that share a response, mostly one: only more of them take memory.
    struct Waiters: RandomAccessCollection {
        private var first: Waiter?
        private var others: [Waiter] = []

        init(_ first: Waiter?) {
            self.first = first
        }

        var startIndex: Int { first == nil ? 1 : 0 }
        var endIndex: Int { 1 + others.count }

        subscript(index: Int) -> Waiter {
            if index == 0, let first { first } else { others[index - 1] }
        }

        mutating func append(_ waiter: Waiter) { others.append(waiter) }

        /// Gives one of them time until `deadline`, or leaves it more.
        ///
        /// - Returns: Whether it is one of them.
        mutating func extend(_ request: RequestID, to deadline: Duration) -> Bool {
            if let leader = first, leader.request == request {
                first?.deadline = Swift.max(leader.deadline, deadline)
            } else if let index = others.firstIndex(where: { $0.request == request }) {
                others[index].deadline = Swift.max(others[index].deadline, deadline)
            } else {
                return false
            }
            return true
        }

        /// Removes those for which `isRemoved` is true, and returns them.
        mutating func remove(where isRemoved: (Waiter) -> Bool) -> [Waiter] {
            guard contains(where: isRemoved) else { return [] }
            let removed = filter(isRemoved)
            others.removeAll(where: isRemoved)
            if let leader = first, isRemoved(leader) { first = nil }
            return removed
        }
    }
}

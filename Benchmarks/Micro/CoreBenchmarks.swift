import MultiplexerCore

/// What the core does for a request from its arrival to its answer, while a number of clients have one each.
enum CoreBenchmarks {
    static var all: [Benchmark] {
        [(clients: 1, inFlight: 1), (16, 1), (16, 16), (1000, 1)].map { load in
            Benchmark(name: "core: \(load.clients) clients, \(load.inFlight) in flight, a request and its answer") {
                times in
                var traffic = Traffic(clients: load.clients, inFlight: load.inFlight)
                for _ in 0..<times { traffic.respondToOne() }
                return traffic.responses
            }
        }
    }
}

/// Clients that ask again as soon as they have their answer, and a device that responds in order.
private struct Traffic {
    private var core: Multiplexer
    private var actions: [Multiplexer.Action] = []
    private var sent: [UInt16] = []
    private var next = 0
    private var now = Duration.zero
    private(set) var responses = 0

    private static let request = Request(correlation: Correlation(rawValue: 0x0103), mayWrite: false)
    private static let link = LinkID(rawValue: 1)

    init(clients: Int, inFlight: Int) {
        core = Multiplexer(configuration: .init(inFlightLimit: inFlight), seed: 1)
        for client in 1...UInt64(clients) { tell(.clientJoined(ClientID(rawValue: client))) }
        tell(.upstreamConnected(Self.link))
        for client in 1...UInt64(clients) { ask(RequestID(rawValue: UInt32(client)), ClientID(rawValue: client)) }
    }

    /// Lets the device answer, and the client that gets the answer ask again.
    mutating func respondToOne() {
        now += .microseconds(20)
        let id = sent[next]
        next += 1
        if next == sent.count {
            sent.removeAll(keepingCapacity: true)
            next = 0
        }
        tell(.responseReceived(Response(transactionID: id, correlation: Self.request.correlation), on: Self.link))
    }

    private mutating func ask(_ id: RequestID, _ client: ClientID) {
        tell(.requestReceived(id, Self.request, from: client))
    }

    private mutating func tell(_ event: Multiplexer.Event) {
        actions.removeAll(keepingCapacity: true)
        core.handle(event, at: now, into: &actions)
        var responded: (RequestID, ClientID)?
        for action in actions {
            switch action {
            case .send(_, let transactionID): sent.append(transactionID)
            case .respond(let id, let client): responded = (id, client)
            default: break
            }
        }
        if let (id, client) = responded {
            responses += 1
            ask(id, client)
        }
    }
}

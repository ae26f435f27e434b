import Testing

@testable import MultiplexerCore
@testable import SimulationModel

/// Runs a multiplexer through a story and tells what it does, so that a test reads like a trace.
///
/// ```swift
/// var trace = Trace.ready()
/// #expect(trace.request(1, from: .a) == "send 1 as 1")
/// #expect(trace.response(1) == "respond 1 to A")
/// ```
///
/// Transaction ids are told by their order: 1 is the first one that was sent. What was never sent is nobody's.
///
/// Deadlines and reports are left out of what the calls return; ``everything`` has them. Time passes in ``pass(_:)`` alone,
/// and each deadline asked for is delivered exactly when it comes.
struct Trace {
    private(set) var multiplexer: Multiplexer
    private(set) var now = Duration.zero
    /// The deadline that was asked for last and has not come.
    private(set) var deadline: Duration?
    /// All actions of the last call.
    private(set) var everything: [Multiplexer.Action] = []
    /// The transaction ids that were sent, where the wire has any.
    private var transactionIDs: [UInt16] = []

    init(_ configuration: Multiplexer.Configuration = .init(), seed: UInt64 = 1, mayConnect: Bool = true) {
        multiplexer = Multiplexer(configuration: configuration, seed: seed, mayConnect: mayConnect)
    }

    /// A and more clients have joined and asked something, connection 1 carries requests, and time begins.
    ///
    /// What they asked was a broadcast each: it says nothing of the device, and nothing is left of it.
    static func ready(_ configuration: Multiplexer.Configuration = .init(), clients: ClientID...) -> Trace {
        var trace = Trace(configuration)
        trace.multiplexer.configuration.broadcastDelay = .zero
        for client in clients.isEmpty ? [.a, .b, .c] : clients {
            trace.join(client)
            trace.broadcast(0, from: client)
            if !trace.multiplexer.link.isReady {
                trace.connected(1)
                trace.pass(configuration.delayAfterConnect)
            }
            trace.pass(configuration.minimumGap)
        }
        trace.begin(with: configuration)
        return trace
    }

    /// What was counted before time began.
    private var opening: Multiplexer.Statistics?
    /// When time began.
    private var origin = Duration.zero

    private mutating func begin(with configuration: Multiplexer.Configuration) {
        multiplexer.configuration.broadcastDelay = configuration.broadcastDelay
        opening = multiplexer.statistics
        transactionIDs = []
        origin += now
        now = .zero
        if let due = deadline { deadline = due - origin }
        everything = []
    }

    var statistics: Multiplexer.Statistics {
        var statistics = multiplexer.statistics
        guard let opening else { return statistics }
        statistics.requests -= opening.requests
        statistics.sent -= opening.sent
        statistics.broadcasts -= opening.broadcasts
        statistics.connects -= opening.connects
        return statistics
    }

    /// The reports of the last call.
    var reports: String {
        everything.compactMap { if case .report(let report) = $0 { report.text } else { nil } }.joined(separator: ", ")
    }

    /// A client comes, from one of 256 places if that matters.
    @discardableResult
    mutating func join(_ client: ClientID, from place: UInt8? = nil) -> String {
        handle(.clientJoined(client, from: place.flatMap { IPAddress(bytes: [192, 0, 2, $0]) }))
    }

    @discardableResult
    mutating func leave(_ client: ClientID) -> String { handle(.clientLeft(client)) }

    @discardableResult
    mutating func request(_ id: UInt32, from client: ClientID, _ correlation: UInt64 = 0x0103) -> String {
        let request = Request(correlation: Correlation(rawValue: correlation), mayWrite: false)
        return handle(.requestReceived(RequestID(rawValue: id), request, from: client))
    }

    @discardableResult
    mutating func ask(_ id: UInt32, _ request: Request, from client: ClientID) -> String {
        handle(.requestReceived(RequestID(rawValue: id), request, from: client))
    }

    /// A request that changes nothing; equal ones may share an answer.
    @discardableResult
    mutating func read(_ id: UInt32, from client: ClientID, _ range: UInt8 = 1, unit: UInt8? = 1) -> String {
        ask(id, .read(range, unit: unit), from: client)
    }

    /// A request about something that the device may remember badly.
    @discardableResult
    mutating func ask(_ id: UInt32, about subject: UInt64, mayWrite: Bool = false, from client: ClientID) -> String {
        let subject = Request.Subject(rawValue: subject)
        let request = Request(correlation: Correlation(rawValue: 0x0103), mayWrite: mayWrite, subject: subject)
        return ask(id, request, from: client)
    }

    /// A request that may change the device, or one unit of it.
    @discardableResult
    mutating func write(_ id: UInt32, from client: ClientID, unit: UInt8? = nil) -> String {
        ask(id, Request(correlation: Correlation(rawValue: 0x0106), mayWrite: true, unit: unit), from: client)
    }

    /// A request that the device does not answer.
    @discardableResult
    mutating func broadcast(_ id: UInt32, from client: ClientID) -> String {
        let request = Request(correlation: Correlation(rawValue: 0x0006), mayWrite: true, expectsResponse: false)
        return handle(.requestReceived(RequestID(rawValue: id), request, from: client))
    }

    @discardableResult
    mutating func connected(_ link: UInt64) -> String { handle(.upstreamConnected(LinkID(rawValue: link))) }

    @discardableResult
    mutating func closed(_ link: UInt64, midResponse: Bool = false) -> String {
        handle(.upstreamClosed(LinkID(rawValue: link), midResponse: midResponse))
    }

    /// No byte of a request left.
    @discardableResult
    mutating func unsent(_ id: UInt32, on link: UInt64 = 1) -> String {
        handle(.requestUnsent(RequestID(rawValue: id), on: LinkID(rawValue: link)))
    }

    @discardableResult
    mutating func response(_ transactionID: UInt16, on link: UInt64 = 1, _ correlation: UInt64 = 0x0103) -> String {
        let response = Response(transactionID: id(transactionID), correlation: Correlation(rawValue: correlation))
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// The response to a request that may change the device.
    @discardableResult
    mutating func written(_ transactionID: UInt16) -> String { response(transactionID, 0x0106) }

    /// A response that says that the device could not do it.
    @discardableResult
    mutating func failure(_ transactionID: UInt16, on link: UInt64 = 1) -> String {
        let correlation = Correlation(rawValue: 0x0103)
        let response = Response(transactionID: id(transactionID), correlation: correlation, isFailure: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// A response after which the device takes no further request on this connection.
    @discardableResult
    mutating func lastResponse(_ transactionID: UInt16, on link: UInt64 = 1) -> String {
        let correlation = Correlation(rawValue: 0x0103)
        let response = Response(transactionID: id(transactionID), correlation: correlation, isLast: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// A message that the device sends of its own accord.
    @discardableResult
    mutating func unsolicited(on link: UInt64 = 1) -> String {
        let response = Response(correlation: Correlation(rawValue: 0x0103), isUnsolicited: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    @discardableResult
    mutating func damaged(on link: UInt64 = 1) -> String {
        handle(.responseDamaged(.checksum, on: LinkID(rawValue: link)))
    }

    /// A client sends a request again that was not answered.
    @discardableResult
    mutating func repeated(_ id: UInt32) -> String { handle(.requestRepeated(RequestID(rawValue: id))) }

    /// The answer with this id, or the awaited one, comes damaged.
    @discardableResult
    mutating func damaged(
        _ transactionID: UInt16,
        by cause: ResponseDamage.Cause,
        isInStep: Bool = true,
        on link: UInt64 = 1
    ) -> String {
        let damage = ResponseDamage(transactionID: id(transactionID), cause, isInStep: isInStep)
        return handle(.responseDamaged(damage, on: LinkID(rawValue: link)))
    }

    /// Bytes come that are no message.
    @discardableResult
    mutating func noise(_ bytes: Int = 1, on link: UInt64 = 1) -> String {
        handle(.noiseReceived(bytes: bytes, on: LinkID(rawValue: link)))
    }

    /// Any response.
    @discardableResult
    mutating func receive(_ response: Response, on link: UInt64 = 1) -> String {
        handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// Other times and limits are to hold.
    @discardableResult
    mutating func replace(_ change: (inout Multiplexer.Configuration) -> Void) -> String {
        var configuration = multiplexer.configuration
        change(&configuration)
        return handle(.configurationReplaced(configuration))
    }

    /// Nobody else is connected to the device any more.
    @discardableResult
    mutating func allow(isSameDevice: Bool = false) -> String {
        handle(.connectingAllowed(isSameDevice: isSameDevice))
    }

    @discardableResult
    mutating func drain() -> String { handle(.drainRequested) }

    @discardableResult
    mutating func release(for duration: Duration? = nil) -> String { handle(.released(for: duration)) }

    @discardableResult
    mutating func resume() -> String { handle(.resumed) }

    /// A visit that nobody asked for.
    @discardableResult
    mutating func visit() -> String { handle(.deadlineReached) }

    /// Time passes without the deadlines that come meanwhile being delivered: a stalled event loop.
    mutating func stall(_ time: Duration) { now += time }

    /// Lets time pass and gives what the deadlines that come meanwhile bring.
    @discardableResult
    mutating func pass(_ time: Duration) -> String {
        let end = now + time
        var actions: [Multiplexer.Action] = []
        var visits = 0
        while let due = deadline, due <= end {
            visits += 1
            guard visits < 1000 else {
                Issue.record("deadlines are asked for without end")
                break
            }
            now = max(now, due)
            deadline = nil
            handle(.deadlineReached)
            actions += everything
        }
        now = end
        everything = actions
        return text
    }

    @discardableResult
    private mutating func handle(_ event: Multiplexer.Event) -> String {
        everything = []
        multiplexer.handle(event, at: origin + now, into: &everything)
        everything = everything.map { numbered($0) }
        for case .setDeadline(let time) in everything { deadline = time }
        return text
    }

    /// The id that was sent as this one; an id that is never sent has two equal bytes.
    func id(_ number: UInt16) -> UInt16 {
        guard multiplexer.configuration.carriesTransactionIDs else { return number }
        let index = Int(number) - 1
        return transactionIDs.indices.contains(index) ? transactionIDs[index] : number << 8 | number
    }

    private func number(_ id: UInt16) -> UInt16 {
        transactionIDs.lastIndex(of: id).map { UInt16($0 + 1) } ?? (id & 0xFF)
    }

    private mutating func numbered(_ action: Multiplexer.Action) -> Multiplexer.Action {
        if case .setDeadline(let time) = action { return .setDeadline(time - origin) }
        guard multiplexer.configuration.carriesTransactionIDs else { return action }
        switch action {
        case .send(let request, let id):
            transactionIDs.append(id)
            return .send(request, transactionID: number(id))
        case .report(.responseTimedOut(let request, let id)):
            return .report(.responseTimedOut(request, transactionID: number(id)))
        case .report(.strayResponse(let response)): return .report(.strayResponse(numbered(response)))
        case .report(.lateResponse(let response)): return .report(.lateResponse(numbered(response)))
        default: return action
        }
    }

    private func numbered(_ response: Response) -> Response {
        var response = response
        response.transactionID = number(response.transactionID)
        return response
    }

    private var text: String {
        everything.compactMap { action in
            switch action {
            case .report, .setDeadline: nil
            default: action.text
            }
        }
        .joined(separator: ", ")
    }
}

extension Request {
    /// A read of any of 256 ranges of a unit, or of all of the device.
    static func read(_ range: UInt8 = 1, unit: UInt8? = 1) -> Request {
        let read = Read(rawValue: UInt64(unit ?? .max) << 8 | UInt64(range))
        return Request(correlation: Correlation(rawValue: 0x0103), mayWrite: false, unit: unit, read: read)
    }
}

extension ClientID {
    static let a = ClientID(rawValue: 1)
    static let b = ClientID(rawValue: 2)
    static let c = ClientID(rawValue: 3)
    static let d = ClientID(rawValue: 4)
}

import Testing

@testable import MultiplexerCore

/// Runs a multiplexer through a story and tells what it does, so that a test reads like a trace.
///
/// ```swift
/// var trace = Trace.ready()
/// #expect(trace.request(1, from: .a) == "send 1 as 1")
/// #expect(trace.response(1) == "respond 1 to A")
/// ```
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

    init(_ configuration: Multiplexer.Configuration = .init(), seed: UInt64 = 1) {
        multiplexer = Multiplexer(configuration: configuration, seed: seed)
    }

    /// A and more clients have joined, connection 1 carries requests.
    static func ready(_ configuration: Multiplexer.Configuration = .init(), clients: ClientID...) -> Trace {
        var trace = Trace(configuration)
        for client in clients.isEmpty ? [.a, .b, .c] : clients { trace.join(client) }
        trace.connected(1)
        trace.pass(configuration.delayAfterConnect)
        return trace
    }

    var statistics: Multiplexer.Statistics { multiplexer.statistics }

    /// The reports of the last call.
    var reports: String {
        everything.compactMap { if case .report(let report) = $0 { report.text } else { nil } }.joined(separator: ", ")
    }

    @discardableResult
    mutating func join(_ client: ClientID) -> String { handle(.clientJoined(client)) }

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
        let response = Response(transactionID: transactionID, correlation: Correlation(rawValue: correlation))
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// The response to a request that may change the device.
    @discardableResult
    mutating func written(_ transactionID: UInt16) -> String { response(transactionID, 0x0106) }

    /// A response that says that the device could not do it.
    @discardableResult
    mutating func failure(_ transactionID: UInt16, on link: UInt64 = 1) -> String {
        let correlation = Correlation(rawValue: 0x0103)
        let response = Response(transactionID: transactionID, correlation: correlation, isFailure: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// A response after which the device takes no further request on this connection.
    @discardableResult
    mutating func lastResponse(_ transactionID: UInt16, on link: UInt64 = 1) -> String {
        let correlation = Correlation(rawValue: 0x0103)
        let response = Response(transactionID: transactionID, correlation: correlation, isLast: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    /// A message that the device sends of its own accord.
    @discardableResult
    mutating func unsolicited(on link: UInt64 = 1) -> String {
        let response = Response(correlation: Correlation(rawValue: 0x0103), isUnsolicited: true)
        return handle(.responseReceived(response, on: LinkID(rawValue: link)))
    }

    @discardableResult
    mutating func damaged(on link: UInt64 = 1) -> String { handle(.responseDamaged(.checksum, on: LinkID(rawValue: link))) }

    @discardableResult
    mutating func drain() -> String { handle(.drainRequested) }

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
        multiplexer.handle(event, at: now, into: &everything)
        for case .setDeadline(let time) in everything { deadline = time }
        return text
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

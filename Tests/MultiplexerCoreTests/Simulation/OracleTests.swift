import MultiplexerCore
import Testing

@testable import SimulationModel

/// A watcher that sees nothing would let every schedule pass.
@Suite struct OracleTests {
    private let first = LinkID(rawValue: 1)
    private let second = LinkID(rawValue: 2)

    /// An oracle for which A and B have joined, connection 1 is ready and request 1 of A is in flight as 1.
    private func watching(_ configuration: Multiplexer.Configuration = .init()) throws -> Oracle {
        var oracle = Oracle(configuration)
        oracle.begin(.clientJoined(.a), at: .zero)
        oracle.begin(.clientJoined(.b), at: .zero)
        oracle.begin(request(1, from: .a), at: .zero)
        try oracle.check(.connect(first), at: .zero)
        oracle.begin(.upstreamConnected(first), at: .zero)
        try oracle.check(send(1), at: .zero)
        return oracle
    }

    private func request(_ id: UInt32, from client: ClientID, mayWrite: Bool = false) -> Multiplexer.Event {
        .requestReceived(RequestID(rawValue: id), Request(correlation: .none, mayWrite: mayWrite), from: client)
    }

    /// A read whose answer may be shared.
    private func read(_ id: UInt32, from client: ClientID) -> Multiplexer.Event {
        .requestReceived(RequestID(rawValue: id), .read(), from: client)
    }

    private func sharing(_ id: UInt32, with other: UInt32) -> Multiplexer.Action {
        .report(.sharing(RequestID(rawValue: id), with: RequestID(rawValue: other)))
    }

    private func send(_ id: UInt32, as transactionID: UInt16 = 1) -> Multiplexer.Action {
        .send(RequestID(rawValue: id), transactionID: transactionID)
    }

    private func respond(_ id: UInt32, to client: ClientID) -> Multiplexer.Action {
        .respond(RequestID(rawValue: id), to: client)
    }

    private func response(_ transactionID: UInt16) -> Multiplexer.Event {
        .responseReceived(Response(transactionID: transactionID, correlation: .none), on: first)
    }

    /// What the oracle says of this action, or nil.
    private func complaint(
        of oracle: inout Oracle,
        about action: Multiplexer.Action,
        at now: Duration = .zero
    ) -> String? {
        do {
            try oracle.check(action, at: now)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a response to the client that asked is fine, and a second one is not`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, respondingTo: 0)
        #expect(complaint(of: &oracle, about: respond(1, to: .a)) == nil)
        #expect(complaint(of: &oracle, about: respond(1, to: .a)) == "2: a request ended twice")
    }

    @Test func `a response to another client is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, respondingTo: 0)
        #expect(complaint(of: &oracle, about: respond(1, to: .b)) == "1: a client got what another asked for")
    }

    @Test func `a response that the device meant for another request is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, respondingTo: 7)
        #expect(
            complaint(of: &oracle, about: respond(1, to: .a)) == "1: a client got the response of another request"
        )
    }

    @Test func `a response that is kept back is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, respondingTo: 0)
        #expect(throws: Violation.self) { try oracle.end(at: .zero, .init()) }
    }

    @Test func `a second connection is noticed`() throws {
        var oracle = try watching()
        #expect(complaint(of: &oracle, about: .connect(second)) == "3: a second connection was opened")
        oracle.begin(.upstreamClosed(first, midResponse: true), at: .zero)
        #expect(complaint(of: &oracle, about: .connect(second)) == "a failed device was asked again too early")
    }

    @Test func `a request that is sent twice, too late or for nobody is noticed`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        #expect(complaint(of: &oracle, about: send(1, as: 2)) == "4: a request was sent twice")
        oracle.begin(request(2, from: .a), at: .zero)
        #expect(
            complaint(of: &oracle, about: send(2, as: 2), at: .seconds(10))
                == "4: a request was sent whose deadline has passed"
        )
        #expect(complaint(of: &oracle, about: send(2, as: 1)) == "1: an id is in flight twice")
        oracle.begin(.clientLeft(.a), at: .zero)
        #expect(complaint(of: &oracle, about: send(2, as: 2)) == "4: a request was sent whose client has left")
    }

    @Test func `a read whose connection ends is sent once more, a write is not`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(request(2, from: .b, mayWrite: true), at: .zero)
        try oracle.check(send(2, as: 2), at: .zero)
        oracle.begin(.upstreamClosed(first), at: .zero)
        let lost = Multiplexer.Action.fail(RequestID(rawValue: 1), .connectionLost, to: .a)
        #expect(complaint(of: &oracle, about: lost) == "a request failed that could be sent once more")
        #expect(complaint(of: &oracle, about: .report(.sendingAgain(RequestID(rawValue: 1)))) == nil)
        let again = Multiplexer.Action.report(.sendingAgain(RequestID(rawValue: 2)))
        #expect(complaint(of: &oracle, about: again) == "4: a request is to be sent again that may not be")
        #expect(complaint(of: &oracle, about: .connect(second)) == nil)
        oracle.begin(.upstreamConnected(second), at: .zero)
        #expect(complaint(of: &oracle, about: send(2, as: 3)) == "4: a request was sent twice")
        #expect(complaint(of: &oracle, about: send(1, as: 3)) == nil)
    }

    @Test(arguments: [nil, 1] as [UInt32?])
    func `a report that names another's request is noticed`(named: UInt32?) throws {
        var oracle = try watching(.init())
        oracle.begin(.clientLeft(.a), at: .zero)
        try oracle.check(.discard(RequestID(rawValue: 1)), at: .zero)
        // The id is another's now.
        oracle.begin(request(1, from: .b), at: .zero)
        let damage = ResponseDamage(transactionID: 1, .echo, isInStep: true)
        oracle.begin(.responseDamaged(damage, on: first), at: .zero)
        let report = Multiplexer.Action.report(.responseDamaged(damage, named.map { RequestID(rawValue: $0) }))
        #expect(complaint(of: &oracle, about: report) == (named == nil ? nil : "1: a report names another's request"))
    }

    @Test func `a request before the gap is over is noticed, and one that waits longer, too`() throws {
        var oracle = try watching(.init(minimumGap: .seconds(1)))
        oracle.begin(response(1), at: .seconds(1), respondingTo: 0)
        try oracle.check(respond(1, to: .a), at: .seconds(1))
        oracle.begin(request(2, from: .b), at: .seconds(1))
        let early = complaint(of: &oracle, about: send(2, as: 2), at: .milliseconds(1999))
        #expect(early == "a request was sent before the gap was over")
        oracle.begin(.clientJoined(.c), at: .seconds(2))
        let idle = #expect(throws: Violation.self) { try oracle.end(at: .seconds(2), oracle.counted) }
        #expect(idle?.promise == "a request waits while the device is idle")
    }

    @Test func `a connection before the device has settled is noticed`() throws {
        var oracle = try watching(.init(settleTime: .seconds(1)))
        oracle.begin(.upstreamClosed(first), at: .zero)
        let early = complaint(of: &oracle, about: .connect(second), at: .milliseconds(999))
        #expect(early == "a connection was opened before the device had settled")
        #expect(complaint(of: &oracle, about: .connect(second), at: .seconds(1)) == nil)
    }

    @Test func `two turns while another waits are noticed`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(request(2, from: .b), at: .zero)
        for id in [3, 4] as [UInt32] { oracle.begin(request(id, from: .a), at: .zero) }
        #expect(complaint(of: &oracle, about: send(3, as: 2)) == nil)
        #expect(
            complaint(of: &oracle, about: send(4, as: 3))
                == "5: a client had two turns while another waited (A before B)"
        )
    }

    @Test func `a read that joins one in flight is noticed, and one that is left waiting, too`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(read(2, from: .a), at: .zero)
        try oracle.check(send(2, as: 2), at: .zero)
        oracle.begin(read(3, from: .b), at: .zero)
        #expect(complaint(of: &oracle, about: sharing(3, with: 2)) == "a read joined one in flight")
        oracle.begin(read(4, from: .a), at: .zero)
        #expect(complaint(of: &oracle, about: send(4, as: 3)) == nil)
        let left = #expect(throws: Violation.self) { try oracle.end(at: .zero, oracle.counted) }
        #expect(left?.promise == "an equal read was left waiting")
    }

    @Test func `a read that shares across a write is noticed`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(read(2, from: .a), at: .zero)
        oracle.begin(request(3, from: .b, mayWrite: true), at: .zero)
        oracle.begin(.clientJoined(.c), at: .zero)
        oracle.begin(read(4, from: .c), at: .zero)
        try oracle.check(send(2, as: 2), at: .zero)
        #expect(complaint(of: &oracle, about: sharing(4, with: 2)) == "a read shares an answer across a write")
    }

    @Test func `a value of before the request is noticed`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(request(2, from: .b, mayWrite: true), at: .zero)
        try oracle.check(send(2, as: 2), at: .zero)
        // The first request has been carried out, the write is; the next request must see it.
        oracle.execute(Oracle.Sending(serial: 0, number: 0))
        oracle.execute(Oracle.Sending(serial: 1, number: 0))
        oracle.begin(.clientJoined(.c), at: .zero)
        oracle.begin(request(3, from: .c), at: .zero)
        try oracle.check(send(3, as: 3), at: .zero)
        oracle.begin(response(1), at: .zero, respondingTo: 0)
        #expect(complaint(of: &oracle, about: respond(1, to: .a)) == nil)
        #expect(throws: Violation.self) { try oracle.checkValue(0, for: 2) }
        #expect(throws: Never.self) { try oracle.checkValue(1, for: 2) }
    }

    @Test func `a drain that ends before its requests is noticed`() throws {
        var oracle = try watching()
        oracle.begin(.drainRequested, at: .zero)
        #expect(complaint(of: &oracle, about: .drained)?.hasPrefix("9: a drain ended before") == true)
    }

    @Test func `a deadline that is moved later is noticed`() throws {
        var oracle = try watching()
        #expect(complaint(of: &oracle, about: .setDeadline(.seconds(1))) == nil)
        #expect(complaint(of: &oracle, about: .setDeadline(.seconds(2))) == "a deadline was moved later")
    }
}

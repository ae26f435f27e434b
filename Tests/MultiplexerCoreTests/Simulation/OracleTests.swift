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
        try oracle.check(.connect(first), at: .zero)
        oracle.begin(.clientJoined(.b), at: .zero)
        oracle.begin(.upstreamConnected(first), at: .zero)
        oracle.begin(request(1, from: .a), at: .zero)
        try oracle.check(send(1), at: .zero)
        return oracle
    }

    private func request(_ id: UInt32, from client: ClientID) -> Multiplexer.Event {
        .requestReceived(RequestID(rawValue: id), Request(correlation: .none, mayWrite: false), from: client)
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
        oracle.begin(response(1), at: .zero, answering: 0)
        #expect(complaint(of: &oracle, about: respond(1, to: .a)) == nil)
        #expect(complaint(of: &oracle, about: respond(1, to: .a)) == "2: a request ended twice")
    }

    @Test func `a response to another client is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, answering: 0)
        #expect(complaint(of: &oracle, about: respond(1, to: .b)) == "1: a client got what another asked for")
    }

    @Test func `a response that the device meant for another request is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, answering: 7)
        #expect(
            complaint(of: &oracle, about: respond(1, to: .a)) == "1: a client got the response of another request"
        )
    }

    @Test func `a response that is kept back is noticed`() throws {
        var oracle = try watching()
        oracle.begin(response(1), at: .zero, answering: 0)
        #expect(throws: Violation.self) { try oracle.end(at: .zero, .init()) }
    }

    @Test func `a second connection is noticed`() throws {
        var oracle = try watching()
        #expect(complaint(of: &oracle, about: .connect(second)) == "3: a second connection was opened")
        oracle.begin(.upstreamClosed(first), at: .zero)
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

    @Test func `two turns while another waits are noticed`() throws {
        var oracle = try watching(.init(inFlightLimit: 4))
        oracle.begin(request(2, from: .b), at: .zero)
        for id in [3, 4] as [UInt32] { oracle.begin(request(id, from: .a), at: .zero) }
        #expect(complaint(of: &oracle, about: send(3, as: 2)) == nil)
        #expect(complaint(of: &oracle, about: send(4, as: 3)) == "5: A had two turns while B waited")
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

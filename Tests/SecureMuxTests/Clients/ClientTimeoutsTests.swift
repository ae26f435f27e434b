import NIOCore
import Testing

@testable import SecureMux

@Suite struct ClientTimeoutsTests {
    private typealias Observation = ClientTimeouts.Observation

    private static let limits = ClientLimits(
        idleTimeout: .seconds(30),
        requestTimeout: .seconds(20),
        writeTimeout: .seconds(10)
    )

    /// Looks once a second, and returns after how many seconds it had enough, and of what.
    private func end(
        within seconds: Int = 200,
        limits: ClientLimits = limits,
        _ observation: (Int) -> Observation
    ) -> (after: Int, of: ClientTimeouts.Expired)? {
        var timeouts = ClientTimeouts()
        for second in 0...seconds {
            if let expired = timeouts.check(
                observation(second),
                within: limits,
                at: .uptimeNanoseconds(0) + .seconds(Int64(second))
            ) {
                return (second, expired)
            }
        }
        return nil
    }

    @Test func `a client that asks for nothing is idle`() throws {
        let end = try #require(end { _ in Observation() })
        #expect(end == (30, .idle))
    }

    @Test func `idleness counts from the last request and from the last response`() throws {
        #expect(try #require(end { Observation(requests: $0 < 25 ? 1 : 2) }) == (55, .idle))
        #expect(try #require(end { Observation(requests: 1, responses: $0 < 25 ? 0 : 1) }) == (55, .idle))
    }

    @Test func `a client whose answer is due, or that has begun to ask, is not idle`() throws {
        #expect(end { _ in Observation(isResponseDue: true) } == nil)
        #expect(try #require(end { Observation(isRestDue: $0 < 15) }) == (45, .idle))
        #expect(try #require(end { Observation(unsent: $0 < 5 ? 1 : 0) }) == (35, .idle))
    }

    @Test func `without a limit a client may be idle for ever`() {
        #expect(end(limits: ClientLimits()) { _ in Observation() } == nil)
    }

    @Test func `a request must come whole in time, however busy the client is with it`() throws {
        #expect(try #require(end { _ in Observation(isRestDue: true) }) == (20, .request))
        #expect(try #require(end { Observation(isRestDue: true, accepted: UInt64($0)) }) == (20, .request))
    }

    @Test func `each request has its own time`() throws {
        #expect(end { Observation(requests: UInt64($0 / 15), isRestDue: true) } == nil)
        #expect(try #require(end { Observation(requests: $0 < 15 ? 0 : 1, isRestDue: true) }) == (35, .request))
    }

    @Test func `time in which we do not read does not count`() throws {
        #expect(end { Observation(isResponseDue: true, isRestDue: $0 % 15 != 0) } == nil)
    }

    @Test func `a client must take something of what is written to it`() throws {
        #expect(try #require(end { _ in Observation(unsent: 1) }) == (10, .write))
        #expect(try #require(end { Observation(isResponseDue: true, unsent: $0 < 50 ? 0 : 1 + $0) }) == (60, .write))
    }

    @Test func `a client that takes a little now and then may go on`() throws {
        #expect(end { Observation(isResponseDue: true, unsent: 1000, accepted: UInt64($0 / 9)) } == nil)
        #expect(try #require(end { Observation(unsent: 1000, accepted: $0 < 9 ? 0 : 1) }) == (19, .write))
        // The next response counts anew.
        #expect(end { Observation(isResponseDue: true, unsent: $0 % 9 == 0 ? 0 : 1) } == nil)
    }

    @Test func `nobody is looked after who can exceed nothing`() {
        var timeouts = ClientTimeouts()
        let limits = ClientLimits()
        #expect(!timeouts.isWatched(within: limits))
        for (observation, isWatched) in [
            (Observation(isResponseDue: true), false), (Observation(isRestDue: true), true),
            (Observation(unsent: 1), true),
            (Observation(), false),
        ] {
            #expect(timeouts.check(observation, within: limits, at: .uptimeNanoseconds(1)) == nil)
            #expect(timeouts.isWatched(within: limits) == isWatched)
        }
        #expect(ClientTimeouts().isWatched(within: Self.limits))
    }
}

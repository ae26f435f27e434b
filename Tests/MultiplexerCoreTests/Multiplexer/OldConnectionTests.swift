import MultiplexerCore
import Testing

// Devices with one connection count it for some time after we closed it, and refuse the next one meanwhile.
@Suite struct OldConnectionTests {
    private let configuration = Multiplexer.Configuration(linger: .zero)

    /// The last client left, connection 1 is closed as asked, and A asked again, so that connection 2 is being opened.
    private func closed(_ configuration: Multiplexer.Configuration) -> Trace {
        var trace = Trace.ready(configuration, clients: .a)
        #expect(trace.leave(.a) == "disconnect 1")
        #expect(trace.closed(1) == "")
        trace.join(.b)
        #expect(trace.request(1, from: .b) == "connect 2")
        return trace
    }

    @Test func `a device that refuses soon after is asked again in a moment, and nobody's request fails`() {
        var trace = closed(configuration)
        #expect(trace.closed(2) == "")
        #expect(trace.reports == "old connection counted, again in 0.02s")
        #expect(trace.pass(.milliseconds(20)) == "connect 3")
        #expect(trace.closed(3) == "")
        #expect(trace.reports == "old connection counted, again in 0.04s")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.pass(.milliseconds(40)) == "connect 4")
        #expect(trace.connected(4) == "send 1 as 1")
        #expect(trace.response(1, on: 4) == "send 2 as 2, respond 1 to B")
        #expect(trace.reports == "old connection forgotten after 0.06s")
    }

    @Test func `the waits grow up to a second`() {
        var trace = closed(.init(queueTimeout: .seconds(60), linger: .zero))
        var waits: [Duration] = []
        for link in 2...10 as ClosedRange<UInt64> {
            trace.closed(link)
            let refused = trace.now
            for _ in 1...3 {
                guard let deadline = trace.deadline, trace.pass(deadline - trace.now) == "" else { break }
            }
            waits.append(trace.now - refused)
        }
        #expect(waits == [20, 40, 80, 160, 320, 640, 1000, 1000, 1000].map { .milliseconds($0) })
    }

    // Many devices accept a connection too many and close it.
    @Test func `a device that accepts and closes before it answers is asked again in a moment`() {
        var trace = closed(configuration)
        #expect(trace.connected(2) == "send 1 as 1")
        #expect(trace.closed(2) == "")
        #expect(trace.reports == "old connection counted, again in 0.02s, again 1")
        #expect(trace.pass(.milliseconds(20)) == "connect 3")
        // Not for the last time, since it was never taken.
        #expect(trace.connected(3) == "send 1 as 2")
        #expect(trace.closed(3) == "")
        #expect(trace.pass(.milliseconds(40)) == "connect 4")
        #expect(trace.connected(4) == "send 1 as 3")
        #expect(trace.response(3, on: 4) == "respond 1 to B")
    }

    @Test func `a device that closes before it is asked is asked again in a moment`() {
        var configuration = configuration
        configuration.delayAfterConnect = .seconds(1)
        var trace = closed(configuration)
        for link in 2...8 as ClosedRange<UInt64> {
            trace.connected(link)
            #expect(trace.closed(link) == "")
            #expect(trace.reports.hasPrefix("old connection counted"))
            trace.pass(.seconds(1))
        }
    }

    @Test func `a write that it may have got is not sent again`() {
        var trace = Trace.ready(configuration, clients: .a)
        trace.leave(.a)
        trace.closed(1)
        trace.join(.b)
        trace.write(1, from: .b)
        #expect(trace.connected(2) == "send 1 as 1")
        #expect(trace.closed(2) == "fail 1 connectionLost to B")
        #expect(trace.pass(.milliseconds(20)) == "connect 3")
        #expect(trace.write(2, from: .b) == "")
    }

    @Test func `a connection that ends in the middle of an answer was taken`() {
        var trace = closed(configuration)
        trace.connected(2)
        #expect(trace.closed(2, midResponse: true) == "fail 1 connectionLost to B")
        #expect(!trace.reports.contains("old connection"))
    }

    @Test func `what the device hung up on while it counted the old connection is not held back`() {
        var trace = Trace.ready(configuration, clients: .a)
        trace.leave(.a)
        trace.closed(1)
        trace.join(.b)
        trace.ask(1, about: 1, from: .b)
        for link in 2...4 as ClosedRange<UInt64> {
            #expect(trace.connected(link) == "send 1 as \(link - 1)")
            #expect(trace.closed(link) == "")
            #expect(!trace.reports.contains("held back"))
            trace.pass(.milliseconds(100))
        }
    }

    @Test func `a request whose time runs out meanwhile fails`() {
        var trace = closed(.init(queueTimeout: .milliseconds(50), linger: .zero))
        trace.closed(2)
        trace.pass(.milliseconds(20))
        trace.closed(3)
        #expect(trace.pass(.milliseconds(30)) == "fail 1 unreachable to B")
    }

    // Nobody may say of it that it was never sent.
    @Test func `a request that was sent meanwhile fails as lost`() {
        var trace = closed(.init(queueTimeout: .milliseconds(50), linger: .zero))
        trace.connected(2)
        trace.closed(2)
        #expect(trace.pass(.milliseconds(50)).contains("fail 1 connectionLost to B"))
    }

    @Test func `a device that refuses for longer than 15 s is backed off from`() {
        var trace = closed(.init(queueTimeout: .seconds(60), linger: .zero))
        var link: UInt64 = 2
        while trace.now < .milliseconds(14_900) {
            #expect(trace.closed(link) == "")
            #expect(trace.reports.hasPrefix("old connection counted"))
            trace.pass(.seconds(1))
            link += 1
        }
        trace.pass(.milliseconds(100))
        #expect(trace.closed(link) == "fail 1 unreachable to B")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `a device that closed an idle connection itself is backed off from as ever`() {
        var trace = Trace.ready(configuration, clients: .a)
        trace.closed(1)
        #expect(trace.request(1, from: .a) == "connect 2")
        #expect(trace.closed(2) == "fail 1 unreachable to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    /// The device has answered request 1 of B about 1, and ended its connection on A's about 10.
    private func hungUp(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = Trace.ready(configuration, clients: .a, .b)
        trace.ask(1, about: 1, from: .b)
        trace.response(1)
        trace.ask(2, about: 10, mayWrite: true, from: .a)
        #expect(trace.closed(1) == "fail 2 connectionLost to A, connect 2")
        return trace
    }

    @Test func `a device may count for a moment the connection that it ended itself`() {
        var trace = hungUp()
        trace.ask(3, about: 1, from: .b)
        #expect(trace.connected(2) == "send 3 as 3")
        #expect(trace.closed(2) == "")
        #expect(trace.reports.hasPrefix("old connection counted, again in 0.02s"))
        trace.pass(.milliseconds(20))
        #expect(trace.closed(3) == "")
        #expect(trace.pass(.milliseconds(40)) == "connect 4")
        #expect(trace.connected(4) == "send 3 as 4")
        #expect(trace.response(4, on: 4) == "respond 3 to B")
        #expect(trace.reports == "old connection forgotten after 0.06s")
    }

    @Test func `so much is waited for the next time that it ends one, and not when we do`() {
        var trace = hungUp(.init(linger: .zero))
        trace.ask(3, about: 1, from: .b)
        trace.connected(2)
        trace.closed(2)
        trace.pass(.milliseconds(20))
        trace.connected(3)
        trace.response(4, on: 3)
        trace.ask(4, about: 11, mayWrite: true, from: .a)
        #expect(trace.closed(3) == "fail 4 connectionLost to A")
        #expect(trace.pass(.milliseconds(19)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 4")
        trace.connected(4)
        trace.ask(5, about: 1, from: .b)
        trace.response(6, on: 4)
        trace.leave(.a)
        #expect(trace.leave(.b) == "disconnect 4")
        trace.closed(4)
        trace.join(.c)
        #expect(trace.request(6, from: .c) == "connect 5")
    }

    // Nobody can tell whether the device took the next connection.
    @Test func `what a trusted client asks first after the device ended a connection is not held against it`() {
        var trace = hungUp()
        for (link, id) in [(2, 3), (3, 4), (4, 5)] as [(UInt64, UInt32)] {
            trace.ask(id, about: 10, mayWrite: true, from: .b)
            trace.connected(link)
            #expect(trace.closed(link) == "fail \(id) connectionLost to B")
            #expect(!trace.reports.contains("held back"))
            trace.pass(.milliseconds(100))
        }
        // For a second it is.
        trace.connected(5)
        trace.pass(.seconds(1))
        trace.ask(6, about: 10, mayWrite: true, from: .b)
        #expect(trace.closed(5) == "fail 6 connectionLost to B, connect 6")
        #expect(trace.reports.contains("held back"))
    }

    @Test func `a read of a trusted client is sent again as often as that takes`() {
        var trace = hungUp()
        trace.ask(3, about: 11, from: .b)
        for link in 2...4 as ClosedRange<UInt64> {
            #expect(trace.connected(link) == "send 3 as \(link + 1)")
            #expect(trace.closed(link) == "")
            trace.pass(.milliseconds(100))
        }
        trace.connected(5)
        #expect(trace.response(6, on: 5) == "respond 3 to B")
    }

    // Another client's request alone must not have a device backed off from that has answered nothing yet.
    @Test func `so it is before the device has answered anything`() {
        var trace = Trace.ready(clients: .a, .b)
        trace.ask(1, about: 10, mayWrite: true, from: .a)
        trace.closed(1)
        trace.connected(2)
        trace.ask(2, about: 11, mayWrite: true, from: .a)
        trace.closed(2)
        for (link, id) in [(3, 3), (4, 4)] as [(UInt64, UInt32)] {
            trace.ask(id, about: UInt64(id), mayWrite: true, from: .b)
            trace.connected(link)
            #expect(trace.closed(link) == "fail \(id) connectionLost to B")
            #expect(trace.reports.hasPrefix("old connection counted"))
            trace.pass(.milliseconds(100))
        }
    }

    @Test func `what a client asks whose request ended a connection is held against it as ever`() {
        var trace = hungUp()
        trace.ask(3, about: 10, mayWrite: true, from: .a)
        trace.connected(2)
        #expect(trace.closed(2) == "fail 3 connectionLost to A, connect 3")
        #expect(trace.reports.contains("held back"))
    }

    @Test func `what refuses for longer than a second after it ended a connection is backed off from`() {
        var trace = hungUp(.init(queueTimeout: .seconds(60)))
        trace.ask(3, about: 1, from: .b)
        var link: UInt64 = 2
        while trace.now < .milliseconds(900) {
            #expect(trace.closed(link) == "")
            #expect(trace.reports.hasPrefix("old connection counted"))
            trace.pass(.milliseconds(300))
            trace.pass(.milliseconds(300))
            link += 1
        }
        trace.pass(.seconds(1))
        #expect(trace.closed(link) == "fail 3 unreachable to B")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `an attempt that was given up left nothing to count`() {
        var trace = Trace(configuration)
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.leave(.a) == "discard 1, disconnect 1")
        trace.closed(1)
        trace.join(.b)
        trace.request(2, from: .b)
        #expect(trace.closed(2) == "fail 2 unreachable to B")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `nothing is opened for nobody while the device counts the old connection`() {
        var trace = closed(configuration)
        trace.closed(2)
        #expect(trace.leave(.b) == "discard 1")
        #expect(trace.pass(.seconds(60)) == "")
    }

    // MARK: What was learned

    /// The connection that answered is closed since the last client left, and another asks.
    private func comeAndGo(_ trace: inout Trace, _ link: UInt64) -> String {
        #expect(trace.leave(.b) == "disconnect \(link)")
        trace.closed(link)
        trace.join(.b)
        return trace.request(9, from: .b)
    }

    @Test func `the time is known the next time`() {
        var trace = closed(configuration)
        trace.closed(2)
        trace.pass(.milliseconds(20))
        trace.closed(3)
        trace.pass(.milliseconds(40))
        trace.connected(4)
        trace.response(1, on: 4)
        #expect(comeAndGo(&trace, 4) == "")
        #expect(trace.pass(.milliseconds(59)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 5")
    }

    @Test func `it is halved each time that it was enough, and forgotten in the end`() {
        var trace = closed(configuration)
        trace.closed(2)
        trace.pass(.milliseconds(20))
        trace.closed(3)
        trace.pass(.milliseconds(40))
        trace.connected(4)
        trace.response(1, on: 4)
        var link: UInt64 = 4
        for wait in [60, 30, 15] {
            #expect(comeAndGo(&trace, link) == "")
            #expect(trace.pass(.milliseconds(wait - 1)) == "")
            link += 1
            #expect(trace.pass(.milliseconds(1)) == "connect \(link)")
            trace.connected(link)
            trace.response(UInt16(link) - 3, on: link)
        }
        #expect(comeAndGo(&trace, link) == "connect \(link + 1)")
    }
}

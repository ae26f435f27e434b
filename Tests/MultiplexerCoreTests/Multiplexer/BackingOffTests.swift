import MultiplexerCore
import Testing

@Suite struct BackingOffTests {
    let configuration = Multiplexer.Configuration(backoff: Backoff(initial: .seconds(1), maximum: .seconds(8)))

    /// The waits between refused attempts.
    func waits(_ trace: inout Trace, _ links: ClosedRange<UInt64>) -> [Duration] {
        links.map { link in
            let refused = trace.now
            trace.closed(link)
            for _ in 0..<3 {
                guard let deadline = trace.deadline, trace.pass(deadline - trace.now) == "" else { break }
            }
            return trace.now - refused
        }
    }

    // Trap T18: no tight loop of attempts.
    @Test func `the wait grows with each refusal up to its cap`() {
        var trace = Trace.asking(configuration)
        for (wait, expected) in zip(waits(&trace, 1...6), [1, 2, 4, 8, 8, 8]) {
            #expect(wait >= .seconds(expected) * 4 / 5)
            #expect(wait <= min(.seconds(expected) * 6 / 5, .seconds(8)))
        }
        #expect(trace.statistics.connects == 7)
    }

    // Trap T15: connecting runs beside the queue; clients are answered meanwhile.
    @Test func `requests fail at once while the next attempt is awaited`() {
        var trace = Trace.asking(configuration)
        trace.closed(1)
        #expect(trace.request(1, from: .a) == "fail 1 unreachable to A")
        trace.join(.b)
        #expect(trace.request(2, from: .b) == "fail 2 unreachable to B")
        #expect(trace.statistics.unreachable == 3)
        trace.pass(.milliseconds(1200))
        #expect(trace.request(3, from: .a) == "")
        #expect(trace.connected(2) == "send 3 as 1")
    }

    // Trap T21: the device's absence ends nothing; service is back with the first attempt that succeeds.
    @Test func `a device that comes back is used again within one step`() {
        var trace = Trace.asking(configuration)
        _ = waits(&trace, 1...9)
        trace.connected(10)
        #expect(trace.request(1, from: .a) == "send 1 as 1")
        #expect(trace.response(1, on: 10) == "respond 1 to A")
    }

    @Test func `an answer makes the next wait short again`() {
        var trace = Trace.asking(configuration)
        _ = waits(&trace, 1...4)
        trace.connected(5)
        trace.request(1, from: .a)
        trace.response(1, on: 5)
        #expect(trace.closed(5) == "connect 6")
        #expect(waits(&trace, 6...6)[0] <= .milliseconds(1200))
    }

    // A device that is full accepts and closes at once: that it accepted shows nothing.
    @Test func `a device that accepts and closes at once is backed off from`() {
        var trace = Trace(configuration)
        trace.join(.a)
        for link in 1...4 as ClosedRange<UInt64> {
            trace.write(UInt32(link), from: .a)
            trace.connected(link)
            #expect(trace.closed(link) == "fail \(link) connectionLost to A")
            #expect(trace.reports.hasPrefix("backing off \(link)"))
            trace.pass(.milliseconds(1200 << (link - 1)))
        }
    }

    // Whoever is back is found within one step, however long an attempt takes to fail.
    @Test func `an attempt that took long is a part of the wait`() {
        var trace = Trace.asking(.init(connectTimeout: .seconds(5), backoff: Backoff(initial: .seconds(10))))
        #expect(trace.pass(.seconds(5)) == "disconnect 1, fail 0 unreachable to A")
        trace.closed(1)
        #expect(trace.pass(.seconds(2)) == "")
        #expect(trace.pass(.seconds(5)) == "connect 2")
    }

    @Test func `an attempt that took longer than the wait is followed by the next one`() {
        var trace = Trace.asking(.init(connectTimeout: .seconds(5), backoff: Backoff(initial: .seconds(1))))
        trace.pass(.seconds(5))
        trace.closed(1)
        #expect(trace.pass(.milliseconds(10)) == "connect 2")
    }

    @Test func `the wait goes on though clients come and go`() {
        var trace = Trace.asking(configuration)
        trace.closed(1)
        trace.leave(.a)
        trace.join(.b)
        #expect(trace.request(1, from: .b) == "fail 1 unreachable to B")
        #expect(trace.pass(.milliseconds(700)) == "")
        #expect(trace.pass(.milliseconds(500)) == "connect 2")
    }

    @Test func `equal seeds give equal waits`() {
        var one = Trace.asking(configuration)
        var other = Trace.asking(configuration)
        #expect(waits(&one, 1...5) == waits(&other, 1...5))
    }
}

extension Trace {
    /// A has asked, so that connection 1 is being opened.
    fileprivate static func asking(_ configuration: Multiplexer.Configuration) -> Trace {
        var trace = Trace(configuration)
        trace.join(.a)
        trace.request(0, from: .a)
        return trace
    }
}

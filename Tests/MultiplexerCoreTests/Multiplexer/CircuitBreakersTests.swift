import Testing

@testable import MultiplexerCore

// Nobody pays for a request of another on which the device hangs up.
@Suite struct CircuitBreakersTests {
    /// The device has answered subject 1, which A asked, on connection 1.
    private func answering(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = Trace.ready(configuration)
        trace.ask(1, about: 1, from: .a)
        #expect(trace.response(1) == "respond 1 to A")
        return trace
    }

    /// The device hangs up on a read of B about `subject`, and again on its repetition, on which it is asked alone.
    private func hangUpTwice(_ trace: inout Trace, on link: UInt64, _ id: UInt32, about subject: UInt64) {
        #expect(trace.ask(id, about: subject, from: .b).hasPrefix("send \(id)"))
        #expect(trace.closed(link) == "connect \(link + 1)")
        #expect(trace.connected(link + 1).hasPrefix("send \(id)"))
        #expect(trace.closed(link + 1) == "fail \(id) connectionLost to B, connect \(link + 2)")
    }

    @Test func `a read on which the device hangs up is asked once more, fails alone, and others go on at once`() {
        var trace = answering()
        trace.ask(2, about: 9, from: .b)
        trace.ask(3, about: 1, from: .a)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.reports == "lost with 1 unanswered, again 2")
        #expect(trace.connected(2) == "send 2 as 3")
        #expect(trace.closed(2) == "fail 2 connectionLost to B, connect 3")
        #expect(trace.reports == "lost with 1 unanswered, held back 2 for 1.0s")
        #expect(trace.connected(3) == "send 3 as 4")
        #expect(trace.response(4, on: 3) == "respond 3 to A")
    }

    @Test func `a write on which the device hangs up fails alone, and others go on at once`() {
        var trace = answering()
        trace.ask(2, about: 9, mayWrite: true, from: .b)
        trace.ask(3, about: 1, from: .a)
        #expect(trace.closed(1) == "fail 2 connectionLost to B, connect 2")
        #expect(trace.connected(2) == "send 3 as 3")
        trace.response(3, on: 2)
        trace.ask(4, about: 9, mayWrite: true, from: .b)
        #expect(trace.closed(2) == "fail 4 connectionLost to B, connect 3")
        #expect(trace.reports == "lost with 1 unanswered, held back 4 for 1.0s")
    }

    // Its sender could keep everyone reconnecting.
    @Test func `what the device hung up on twice is held back, for longer each time`() {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 9)
        trace.connected(3)
        var link: UInt64 = 3
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            #expect(trace.ask(3, about: 9, from: .b) == "fail 3 heldBack to B")
            #expect(trace.pass(.milliseconds(seconds * 1000 - 1)) == "")
            #expect(trace.ask(3, about: 9, from: .b) == "fail 3 heldBack to B")
            trace.pass(.milliseconds(1))
            #expect(trace.ask(4, about: 9, mayWrite: true, from: .b).hasPrefix("send 4"))
            #expect(trace.closed(link) == "fail 4 connectionLost to B, connect \(link + 1)")
            link += 1
            trace.connected(link)
        }
        #expect(trace.statistics.heldBack == 14)
    }

    @Test func `more of a client that waits behind what is held back fails too`() {
        var trace = answering()
        trace.ask(2, about: 9, from: .b)
        trace.ask(3, about: 9, from: .b)
        trace.closed(1)
        trace.connected(2)
        #expect(trace.closed(2) == "fail 2 connectionLost to B, connect 3")
        #expect(trace.connected(3) == "fail 3 heldBack to B")
    }

    // Two writes to one place may differ in their values: only one of them need be what the device cannot bear.
    @Test func `what is held back for one client is tried for another, until the device hangs up on that, too`() {
        var trace = answering()
        trace.ask(2, about: 9, mayWrite: true, from: .b)
        trace.closed(1)
        trace.connected(2)
        trace.ask(3, about: 9, mayWrite: true, from: .b)
        trace.closed(2)
        trace.connected(3)
        #expect(trace.ask(4, about: 9, mayWrite: true, from: .b) == "fail 4 heldBack to B")
        #expect(trace.ask(5, about: 9, mayWrite: true, from: .c) == "send 5 as 4")
        #expect(trace.response(4, on: 3) == "respond 5 to C")
        #expect(trace.ask(6, about: 9, mayWrite: true, from: .b) == "fail 6 heldBack to B")
        #expect(trace.ask(7, about: 9, mayWrite: true, from: .c) == "send 7 as 5")
        trace.closed(3)
        trace.connected(4)
        #expect(trace.ask(8, about: 9, mayWrite: true, from: .c) == "fail 8 heldBack to C")
    }

    @Test
    func `whoever comes from where a hang-up was asked for has to earn trust, also if that client left before it`() {
        for leaves in [false, true] {
            var trace = Trace.ready()
            trace.leave(.b)
            trace.leave(.c)
            trace.join(.b, from: 1)
            trace.ask(1, about: 1, from: .a)
            trace.response(1)
            // From the same place, and never answered.
            trace.join(.c, from: 1)
            var link: UInt64 = 1
            for subject in 11...13 as ClosedRange<UInt64> {
                trace.ask(UInt32(subject), about: subject, mayWrite: true, from: .b)
                if leaves { trace.leave(.b) }
                trace.closed(link)
                link += 1
                trace.connected(link)
                if leaves { trace.join(.b, from: subject == 13 ? 2 : 1) }
            }
            #expect(trace.ask(14, about: 14, from: .c) == "fail 14 heldBack to C")
            trace.join(.d, from: 1)
            #expect(trace.ask(15, about: 15, from: .d) == "fail 15 heldBack to D")
            trace.leave(.d)
            // From elsewhere.
            trace.join(.d, from: 3)
            #expect(trace.ask(16, about: 16, from: .d).hasPrefix("send 16"))
        }
    }

    @Test func `a suspect and a place of suspects are forgotten after a minute`() {
        var trace = Trace.ready()
        trace.ask(1, about: 1, from: .a)
        trace.response(1)
        trace.leave(.b)
        trace.join(.b, from: 1)
        for (link, subject) in zip(1...3 as ClosedRange<UInt64>, [11, 12, 13] as [UInt64]) {
            trace.ask(UInt32(subject), about: subject, mayWrite: true, from: .b)
            trace.closed(link)
            trace.connected(link + 1)
        }
        trace.leave(.b)
        trace.pass(.seconds(62))
        trace.join(.b, from: 1)
        #expect(trace.ask(14, about: 14, mayWrite: true, from: .b).hasPrefix("send 14"))
        trace.closed(4)
        trace.connected(5)
        #expect(trace.ask(15, about: 15, mayWrite: true, from: .b).hasPrefix("send 15"))
    }

    @Test func `what was held back is asked like any other once it is answered`() {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 9)
        trace.connected(3)
        trace.pass(.seconds(1))
        trace.ask(3, about: 9, from: .b)
        #expect(trace.response(4, on: 3) == "respond 3 to B")
        trace.ask(4, about: 9, from: .b)
        #expect(trace.closed(3) == "connect 4")
        #expect(trace.connected(4) == "send 4 as 6")
        #expect(trace.response(6, on: 4) == "respond 4 to B")
    }

    @Test func `what the device has answered goes on while something else is held back`() {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 9)
        trace.connected(3)
        #expect(trace.ask(3, about: 1, from: .a) == "send 3 as 4")
        #expect(trace.ask(4, about: 9, from: .b) == "fail 4 heldBack to B")
        #expect(trace.response(4, on: 3) == "respond 3 to A")
    }

    // A request whose address is another each time is not known by what it is about.
    @Test func `after three new ones in a row only what was answered before is sent for a while`() {
        var trace = afterThreeNewOnes()
        #expect(trace.ask(5, about: 14, from: .b) == "fail 5 heldBack to B")
        #expect(trace.ask(6, about: 1, from: .a) == "send 6 as 7")
        #expect(trace.response(7, on: 6) == "respond 6 to A")
        // Then one is tried, and the next while is longer.
        trace.pass(.seconds(1))
        #expect(trace.ask(7, about: 15, from: .b) == "send 7 as 8")
        #expect(trace.closed(6) == "connect 7")
        #expect(trace.connected(7) == "fail 7 heldBack to B")
        trace.pass(.milliseconds(1999))
        #expect(trace.ask(8, about: 16, from: .b) == "fail 8 heldBack to B")
        trace.pass(.milliseconds(1))
        #expect(trace.ask(9, about: 17, from: .b) == "send 9 as 9")
        #expect(trace.response(9, on: 7) == "respond 9 to B")
        // That one was answered: the row is over.
        #expect(trace.ask(10, about: 18, from: .b) == "send 10 as 10")
    }

    @Test func `of several in flight each is asked alone next, so that it shows which one it was`() {
        var trace = answering(.init(inFlightLimit: 4))
        trace.ask(2, about: 1, from: .a)
        trace.ask(3, about: 9, from: .b)
        trace.ask(4, about: 2, from: .c)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 5")
        #expect(trace.response(5, on: 2) == "send 3 as 6, respond 2 to A")
        #expect(trace.closed(2) == "fail 3 connectionLost to B, connect 3")
        #expect(trace.reports == "lost with 1 unanswered, held back 3 for 1.0s")
        #expect(trace.connected(3) == "send 4 as 7")
        #expect(trace.response(7, on: 3) == "respond 4 to C")
        // None of them is under suspicion any more, so they go side by side again.
        trace.ask(5, about: 1, from: .a)
        #expect(trace.ask(6, about: 2, from: .c) == "send 6 as 9")
    }

    @Test func `a hang-up before the first answer costs nobody else a back-off`() {
        var trace = Trace.ready()
        trace.ask(1, about: 1, from: .a)
        #expect(trace.closed(1) == "connect 2")
        trace.connected(2)
        trace.ask(2, about: 2, from: .b)
        #expect(trace.closed(2) == "fail 1 connectionLost to A, connect 3")
        #expect(trace.reports == "lost with 1 unanswered, held back 1 for 1.0s")
        #expect(trace.connected(3) == "send 2 as 3")
        #expect(trace.response(3, on: 3) == "respond 2 to B")
    }

    @Test func `a device that hangs up on three things and has answered nothing is backed off from`() {
        var trace = Trace.ready()
        var link: UInt64 = 1
        for subject in 1...2 as ClosedRange<UInt64> {
            trace.ask(UInt32(subject), about: subject, from: .a)
            for _ in 1...2 {
                #expect(trace.closed(link).hasSuffix("connect \(link + 1)"))
                link += 1
                trace.connected(link)
            }
        }
        trace.ask(3, about: 3, from: .a)
        trace.closed(link)
        trace.connected(link + 1)
        trace.closed(link + 1)
        #expect(trace.reports.contains("backing off 1"))
    }

    // Ever other requests of one client: what its neighbours ask goes on, be it new or not.
    @Test func `new things of clients whose requests are answered are not held back with those of others`() {
        var trace = Trace.ready()
        trace.ask(1, about: 1, from: .b)
        trace.response(1)
        var link: UInt64 = 1
        for subject in 10...12 as ClosedRange<UInt64> {
            trace.ask(UInt32(subject), about: subject, from: .a)
            // From the third one on not even that is asked twice.
            for _ in 1...(subject == 12 ? 1 : 2) {
                #expect(trace.closed(link).hasSuffix("connect \(link + 1)"))
                link += 1
                trace.connected(link)
            }
        }
        #expect(trace.ask(13, about: 13, from: .a) == "fail 13 heldBack to A")
        #expect(trace.ask(14, about: 14, from: .b).hasPrefix("send 14"))
        // Nor are those of one that has not been answered yet.
        #expect(trace.ask(15, about: 15, from: .c) == "")
    }

    @Test func `a device that has answered nothing is not backed off from for one thing that is asked again and again`()
    {
        var trace = Trace.ready()
        for link in 1...6 as ClosedRange<UInt64> {
            #expect(trace.ask(1, about: 1, mayWrite: true, from: .a).hasPrefix("send 1"))
            #expect(trace.closed(link) == "fail 1 connectionLost to A, connect \(link + 1)")
            trace.connected(link + 1)
            trace.pass(.seconds(30))
        }
    }

    // Hundreds of others would be one to three.
    @Test func `one answer to what is new makes up for a quarter of a hang-up`() {
        var trace = answering()
        var (link, id): (UInt64, UInt32) = (1, 2)
        for subject in [11, 12, 13] as [UInt64] {
            trace.ask(id, about: subject, mayWrite: true, from: .b)
            trace.closed(link)
            link += 1
            trace.connected(link)
            trace.ask(id + 1, about: subject + 100, from: .b)
            trace.response(UInt16(id + 1), on: link)
            id += 2
        }
        // Three less three quarters.
        trace.ask(id, about: 14, mayWrite: true, from: .b)
        trace.closed(link)
        trace.connected(link + 1)
        #expect(trace.ask(id + 1, about: 15, from: .b) == "fail \(id + 1) heldBack to B")
    }

    /// B has asked for three new things in a row on which the device hung up, and connection 6 stands.
    private func afterThreeNewOnes() -> Trace {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 11)
        trace.connected(3)
        hangUpTwice(&trace, on: 3, 3, about: 12)
        trace.connected(5)
        trace.ask(4, about: 13, from: .b)
        trace.closed(5)
        #expect(trace.connected(6) == "fail 4 heldBack to B")
        return trace
    }

    @Test func `what is held back fails behind what its client asked before`() {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 11)
        trace.connected(3)
        trace.ask(4, about: 1, from: .b)
        #expect(trace.ask(5, about: 11, from: .b) == "")
        #expect(trace.ask(6, about: 11, from: .b) == "")
        #expect(trace.response(4, on: 3) == "respond 4 to B, fail 5 heldBack to B, fail 6 heldBack to B")
    }

    @Test func `when nothing is held back any more, the device is asked first again`() {
        var trace = answering()
        hangUpTwice(&trace, on: 1, 2, about: 11)
        trace.connected(3)
        trace.ask(4, about: 1, from: .a)
        trace.ask(5, about: 1, from: .b)
        #expect(trace.response(4, on: 3) == "respond 4 to A, send 5 as 5")
        trace.pass(.seconds(1))
        trace.ask(6, about: 1, from: .a)
        #expect(trace.response(5, on: 3) == "send 6 as 6, respond 5 to B")
    }

    @Test func `four answers make up for a hang-up`() {
        var trace = answering()
        trace.ask(2, about: 10, mayWrite: true, from: .a)
        trace.closed(1)
        trace.connected(2)
        for (link, subject) in [(2, 11), (3, 12)] as [(UInt64, UInt64)] {
            trace.ask(3, about: 1, from: .b)
            trace.response(UInt16(2 * link - 1), on: link)
            trace.ask(4, about: subject, mayWrite: true, from: .c)
            trace.closed(link)
            trace.connected(link + 1)
        }
        for number in 7...10 as ClosedRange<UInt16> {
            #expect(trace.ask(5, about: 20, from: .a) == "fail 5 heldBack to A")
            trace.ask(6, about: 1, from: .a)
            #expect(trace.response(number, on: 4) == "respond 6 to A")
        }
        #expect(trace.ask(5, about: 20, from: .a) == "send 5 as 11")
    }

    // It hangs up on what it has answered before: it is the device that fails, and not a request.
    @Test func `a device that hangs up on all that it answered before is backed off from`() {
        var trace = Trace.ready()
        for subject in 1...3 as ClosedRange<UInt64> {
            trace.ask(UInt32(subject), about: subject, from: .a)
            trace.response(UInt16(subject))
        }
        trace.closed(1)
        var link: UInt64 = 1
        var reports = ""
        for subject in 1...3 as ClosedRange<UInt64> where !reports.contains("backing off") {
            trace.ask(UInt32(subject), about: subject, from: .a)
            for _ in 1...2 where !reports.contains("backing off") {
                link += 1
                trace.connected(link)
                trace.closed(link)
                reports += trace.reports
                trace.pass(.seconds(1))
            }
        }
        #expect(reports.contains("backing off 1"))
        #expect(trace.statistics.connects <= 5)
    }

    // Some devices answer a range that they do not have with silence.
    @Test func `what timed out when it was asked last says nothing of the device`() {
        var trace = answering(.init(responseTimeout: .seconds(1)))
        trace.ask(2, about: 1, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A")
        trace.ask(3, about: 1, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 3 unanswered to A, disconnect 1")
        #expect(trace.closed(1) == "connect 2")
        trace.connected(2)
        trace.ask(4, about: 1, from: .a)
        trace.pass(.seconds(1))
        trace.ask(5, about: 1, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 5 unanswered to A, disconnect 2")
        #expect(trace.closed(2) == "connect 3")
    }

    @Test func `what nothing is known about is never held back`() {
        var trace = answering()
        for link in 1...5 as ClosedRange<UInt64> {
            trace.request(2, from: .a)
            trace.response(UInt16(link) * 2, on: link)
            #expect(trace.write(3, from: .b).hasPrefix("send 3"))
            #expect(trace.closed(link) == "fail 3 connectionLost to B, connect \(link + 1)")
            trace.connected(link + 1)
        }
    }

    @Test func `of more suspects than are remembered the oldest is forgotten`() {
        var breakers = Multiplexer.CircuitBreakers(Backoff(), seed: 1)
        func subject(_ value: UInt64) -> Request.Subject { Request.Subject(rawValue: value) }
        func hangUp(_ value: UInt64) -> Duration? {
            breakers.deviceHungUp(on: subject(value), of: Multiplexer.Waiters(nil), isAlone: true, at: .zero)
        }
        for value in 1...65 as ClosedRange<UInt64> { _ = hangUp(value) }
        #expect(!breakers.suspects(subject(1)))
        #expect(breakers.suspects(subject(2)) && breakers.suspects(subject(65)))
        #expect(hangUp(65) == .seconds(1))
        #expect(breakers.holdsBack(subject(65), of: .a, isTrusted: false, at: .milliseconds(999)))
        #expect(!breakers.holdsBack(subject(65), of: .a, isTrusted: true, at: .milliseconds(999)))
        #expect(!breakers.holdsBack(subject(65), of: .a, isTrusted: false, at: .seconds(1)))
    }
}

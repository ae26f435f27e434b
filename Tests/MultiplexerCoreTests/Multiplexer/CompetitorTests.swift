import MultiplexerCore
import Testing

// Another program that talks to the device directly shows as responses that nobody here asked for.
@Suite struct CompetitorTests {
    @Test func `three strays in a row are told in words, then at each doubling`() {
        var trace = Trace.ready()
        var told: [Int] = []
        for count in 1...30 {
            trace.response(100 + UInt16(count))
            if trace.reports.contains("competitor after \(count)") { told.append(count) }
        }
        #expect(told == [3, 6, 12, 24])
    }

    @Test func `an answer ends the row`() {
        var trace = Trace.ready()
        trace.response(101)
        trace.response(102)
        trace.request(1, from: .a)
        trace.response(1)
        trace.response(103)
        #expect(trace.reports == "stray 103/259")
    }

    @Test func `late responses do not count`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        for _ in 1...3 {
            trace.response(1)
            #expect(trace.reports == "late 1/259")
        }
        #expect(trace.statistics.late == 3)
        #expect(trace.statistics.strays == 3)
    }
}

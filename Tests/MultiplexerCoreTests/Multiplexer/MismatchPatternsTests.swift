import Testing

@testable import MultiplexerCore

// Devices that do not repeat what they should, so that nobody else is blamed for their answers.
@Suite struct MismatchPatternsTests {
    private static let correlation = Correlation(rawValue: 0x0103)

    /// The reports while `count` answers come to one request, none of them with its id.
    private func reports(_ count: Int, _ change: (inout Response, _ number: Int) -> Void) -> [String] {
        var trace = Trace.ready(clients: .a)
        trace.request(1, from: .a)
        let reports = (1...count).map { number in
            var response = Response(transactionID: trace.id(1), correlation: Self.correlation)
            change(&response, number)
            #expect(trace.receive(response) == "")
            return trace.reports
        }
        // The wait went on.
        #expect(trace.response(1) == "respond 1 to A")
        return reports
    }

    /// When a pattern was told, and which one.
    private func recognised(_ reports: [String]) -> [String] {
        reports.enumerated().compactMap { number, text in
            text.firstRange(of: "recognised ").map { "\(number + 1): \(text[$0.upperBound...])" }
        }
    }

    static let patterns: [(String, @Sendable (inout Response) -> Void)] = [
        ("idZero", { $0.transactionID = 0 }),
        (
            "idZeroInExceptions",
            {
                $0.transactionID = 0
                $0.isFailure = true
            }
        ),
        ("idSwapped", { $0.transactionID = $0.transactionID.byteSwapped }),
        ("idOffByOne", { $0.transactionID &+= 1 }),
        ("idOffByOne", { $0.transactionID &-= 1 }),
    ]

    @Test(arguments: patterns)
    func `a pattern is told after three times and at each doubling, and no other program is blamed`(
        _ name: String,
        _ change: @Sendable (inout Response) -> Void
    ) {
        let reports = reports(25) { response, _ in change(&response) }
        #expect(recognised(reports) == [3, 6, 12, 24].map { "\($0): \(name)" })
        #expect(!reports.contains { $0.contains("competitor") })
        #expect(reports[0].hasPrefix("stray"))
    }

    // Only exceptions carry 0 where the program on the device makes them itself: but it is all answers here.
    @Test func `a device that answers all with id 0 is not taken for one that does so in exceptions`() {
        let reports = reports(12) { response, number in
            response.transactionID = 0
            response.isFailure = number.isMultiple(of: 2)
        }
        #expect(recognised(reports) == ["5: idZero", "11: idZero"])
    }

    @Test func `an id that follows no pattern is another program's`() {
        let reports = reports(6) { response, number in response.transactionID &+= 0x0110 * UInt16(number) }
        #expect(recognised(reports) == [])
        #expect(reports[2].hasSuffix("competitor after 3"))
    }

    @Test func `an answer that fits nothing in flight follows no pattern`() {
        let reports = reports(6) { response, _ in
            response.transactionID = 0
            response.correlation = Correlation(rawValue: 0x0203)
        }
        #expect(recognised(reports) == [])
        #expect(reports[2].hasSuffix("competitor after 3"))
    }

    // Ids whose bytes are equal would match by chance.
    @Test func `answers that are right meanwhile do not hide a pattern`() {
        var trace = Trace.ready(clients: .a)
        var told = 0
        for number in 1...3 as ClosedRange<UInt16> {
            trace.request(1, from: .a)
            trace.receive(Response(transactionID: trace.id(number).byteSwapped, correlation: Self.correlation))
            told += trace.reports.hasSuffix("recognised idSwapped") ? 1 : 0
            #expect(trace.response(number) == "respond 1 to A")
        }
        #expect(told == 1)
    }

    @Test func `a device that always answers as one unit is recognised`() {
        var trace = Trace.ready(clients: .a)
        var told: [Int] = []
        for number in 1...12 {
            trace.write(1, from: .a)
            #expect(trace.response(UInt16(number), 0x0906) == "fail 1 connectionLost to A")
            if trace.reports.hasSuffix("recognised unit(9)") { told.append(number) }
        }
        #expect(told == [3, 6, 12])
    }

    @Test func `answers of a unit that is another each time follow no pattern`() {
        var trace = Trace.ready(clients: .a)
        for number in 1...12 as ClosedRange<UInt16> {
            trace.write(1, from: .a)
            trace.response(number, UInt64(number + 1) << 8 | 0x06)
            #expect(!trace.reports.contains("recognised"))
        }
    }

    @Test func `answers of another function follow no pattern`() {
        var trace = Trace.ready(clients: .a)
        for number in 1...12 as ClosedRange<UInt16> {
            trace.write(1, from: .a)
            trace.response(number, 0x0203)
            #expect(!trace.reports.contains("recognised"))
        }
    }

    @Test func `without ids there is no pattern of ids`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false))
        trace.request(1, from: .a)
        trace.response(0, 0x0203)
        #expect(trace.reports == "stray 0/515, replacing 1 after stray")
    }
}

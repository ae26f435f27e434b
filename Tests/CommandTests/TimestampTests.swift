import Testing

@testable import tcp_multiplexer

@Suite struct TimestampTests {
    @Test(arguments: [
        (Duration.zero, "1970-01-01T00:00:00.000Z"),
        (.milliseconds(1_767_323_045_009), "2026-01-02T03:04:05.009Z"),
        (.seconds(1_709_251_199) + .nanoseconds(999_999_999), "2024-02-29T23:59:59.999Z"),
        (.seconds(4_107_542_400), "2100-03-01T00:00:00.000Z"),
    ])
    func `a moment is written in UTC to the millisecond, and never rounded up`(sinceEpoch: Duration, written: String) {
        #expect(Timestamp(sinceEpoch: sinceEpoch).description == written)
    }

    @Test func `now is later than when this was written`() {
        #expect(Timestamp.now.description > "2025")
        #expect(Timestamp.now.description < "2100")
    }
}

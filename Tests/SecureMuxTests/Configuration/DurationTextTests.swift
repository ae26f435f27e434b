import Testing

@testable import SecureMux

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0", .zero), ("5", .seconds(5)), ("0.5", .milliseconds(500)), (".5", .milliseconds(500)),
            ("5.", .seconds(5)),
            ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("1m", .seconds(60)), ("1h", .seconds(3600)),
            ("1m30s", .seconds(90)), ("1.5s", .milliseconds(1500)), ("1.5h30m", .seconds(7200)),
            ("100us", .microseconds(100)), ("100\u{B5}s", .microseconds(100)), ("100\u{3BC}s", .microseconds(100)),
            ("7ns", .nanoseconds(7)), ("0.000000001", .nanoseconds(1)),
            ("0.99999999999999999999s", .nanoseconds(999_999_999)),
            ("1000000h", .seconds(3_600_000_000)),
        ] as [(String, Duration)]
    )
    func `durations are read as users write them`(text: String, duration: Duration) throws {
        #expect(try Duration(parsing: text) == duration)
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("-1", "it is negative"),
        ("-1s", "it is negative"),
        ("abc", "'abc' has no number before it"),
        ("s", "'s' has no number before it"),
        ("1m30", "'30' has no unit behind it"),
        ("5min", "'min' is not one of the units h, m, s, ms, us and ns"),
        ("5 s", "' s' is not one of the units h, m, s, ms, us and ns"),
        ("1e3", "'e' is not one of the units h, m, s, ms, us and ns"),
        ("1.2.3s", "'1.2.3' is not a number"),
        (".", "'.' is not a number"),
        ("1000000h1ns", "it is longer than 1000000h"),
        ("9223372036854775807", "it is longer than 1000000h"),
        ("9223372036854775808s", "it is longer than 1000000h"),
        ("99999999999999999999999h", "it is longer than 1000000h"),
    ])
    func `what is no duration is refused with the reason and examples`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try Duration(parsing: text) }
        #expect(
            error?.description
                == "'\(text)' is not a duration: \(reason). Write 5, 0.5, 500ms, 5s, 1m or 1m30s"
        )
    }

    @Test(
        arguments: [
            (.zero, "0s"), (.seconds(5), "5s"), (.milliseconds(1500), "1.5s"), (.milliseconds(500), "500ms"),
            (.microseconds(1050), "1.05ms"), (.microseconds(100), "100us"), (.nanoseconds(7), "7ns"),
            (.seconds(60), "1m"),
            (.seconds(90), "1m30s"), (.seconds(3600), "1h"), (.milliseconds(3_600_250), "1h0.25s"),
            (.seconds(-90), "-1m30s"),
            (.milliseconds(-5), "-5ms"),
        ] as [(Duration, String)]
    )
    func `durations are printed shortly`(duration: Duration, text: String) throws {
        #expect(duration.shortText == text)
        if duration >= .zero {
            #expect(try Duration(parsing: text) == duration)
        }
    }

    @Test(
        arguments: [
            (.zero, "0s"), (.seconds(5), "5s"), (.milliseconds(1234), "1.23s"), (.milliseconds(1235), "1.24s"),
            (.nanoseconds(12_345_600), "12.3ms"), (.nanoseconds(123_456), "123us"), (.nanoseconds(7), "7ns"),
            (.nanoseconds(999_600_000), "1s"), (.milliseconds(59_940), "59.9s"), (.milliseconds(59_960), "1m"),
            (.milliseconds(90_400), "1m30s"), (.milliseconds(90_500), "1m31s"), (.milliseconds(3_600_250), "1h"),
            (.milliseconds(-5), "-5ms"),
        ] as [(Duration, String)]
    )
    func `measured durations are rounded`(duration: Duration, text: String) {
        #expect(duration.readableText == text)
    }

    @Test func `the longest and the shortest durations print without a trap`() {
        #expect(Duration(secondsComponent: .max, attosecondsComponent: 0).shortText.hasSuffix("h30m7s"))
        #expect(Duration(secondsComponent: .min, attosecondsComponent: 0).shortText.hasPrefix("-"))
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1).shortText == "0s")
        #expect(Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999).readableText != "")
        #expect(Duration(secondsComponent: .min, attosecondsComponent: 0).readableText.hasPrefix("-"))
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1).readableText == "0s")
    }
}

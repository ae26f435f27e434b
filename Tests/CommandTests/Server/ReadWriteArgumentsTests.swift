import ArgumentParser
import MultiplexerCore
import Testing

@testable import tcp_multiplexer

@Suite struct ReadWriteArgumentsTests {
    @Test func `without options equal reads share an answer, nothing is kept, and everyone has a turn`() throws {
        let configuration = try Serve.parse(["-p", "modbus"]).multiplexer
        #expect(configuration.sharesReads)
        #expect(configuration.maximumResponseAge == nil)
        #expect(!configuration.sendsWritesFirst)
    }

    @Test(arguments: ["modbus", "modbus-serial", "modbus-rtu"])
    func `every form of Modbus has all of them`(name: String) throws {
        let options = ["-p", name, "--write-priority"]
        var expected = Multiplexer.Configuration(sendsWritesFirst: true)
        #expect(try Serve.parse(options).multiplexer == expected)
        expected.sharesReads = false
        #expect(try Serve.parse(options + ["--no-coalesce"]).multiplexer == expected)
        expected.sharesReads = true
        expected.maximumResponseAge = .milliseconds(500)
        #expect(try Serve.parse(options + ["--max-age", "500ms"]).multiplexer == expected)
    }

    @Test(arguments: [("1", 1), ("5m", 300), ("300", 300)])
    func `an age may be up to five minutes`(text: String, seconds: Int) throws {
        let configuration = try Serve.parse(["-p", "modbus", "--max-age", text]).multiplexer
        #expect(configuration.maximumResponseAge == .seconds(seconds))
    }

    @Test func `HTTP tells reads from writes too`() throws {
        #expect(try Serve.parse(["-p", "http", "--write-priority"]).multiplexer.sendsWritesFirst)
    }

    @Test(
        arguments: [
            (
                ["-p", "modbus", "--max-age", "0"],
                "--max-age must be longer than 0: leave it out, and each answer is read after the request has come"
            ),
            (["-p", "modbus", "--max-age=-1s"], "'-1s' is not a duration: it is negative."),
            (["-p", "modbus", "--max-age", "off"], "'off' is not a duration"),
            (
                ["-p", "modbus", "--max-age", "500"],
                "--max-age 8m20s is longer than 5m: for so long nobody would see what the device measures; a plain number is "
                    + "seconds, write ms behind milliseconds"
            ),
            (
                ["-p", "modbus", "--max-age", "500ms", "--no-coalesce"],
                "--no-coalesce asks the device for each read, --max-age 500ms does not: leave one of them out"
            ),
            (
                ["--max-age", "1s"],
                "--max-age is of no use to echo, where no requests share an answer: leave it out, or choose a form of Modbus "
                    + "with -p"
            ),
            (["-p", "http", "--max-age", "1s"], "--max-age is of no use to http"),
            (["-p", "http", "--no-coalesce"], "--no-coalesce is of no use to http"),
            (["-p", "iso8583", "--no-coalesce"], "--no-coalesce is of no use to iso8583"),
            (
                ["-p", "iso8583", "--write-priority"],
                "--write-priority is of no use to iso8583, where any request may be a write: leave it out, or choose a form "
                    + "of Modbus or http with -p"
            ),
            (["--write-priority"], "--write-priority is of no use to echo"),
        ] as [([String], String)]
    )
    func `what cannot be done is refused with the reason and the remedy`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(options) }
        let message = error.map(Serve.message(for:)) ?? ""
        #expect(message.contains(reason))
        #expect(error.map { Serve.exitCode(for: $0) } == .validationFailure)
    }

    @Test(
        arguments: [
            (
                "--coalesce/--no-coalesce",
                [
                    "function (1 to 4)", "no write to the unit between them", "side effects",
                    "(default: on",
                ]
            ),
            (
                "--max-age <duration>",
                [
                    "write through this program to the same unit ends that", "other programs change", "exceptions",
                    "(default: none",
                ]
            ),
            (
                "--write-priority/--no-write-priority",
                ["never before an earlier request of the same client", "take turns", "(default: off"]
            ),
        ] as [(String, [String])]
    )
    func `the help says what each is for, what to mind, and its default`(option: String, parts: [String]) throws {
        // Lines are broken anywhere.
        let help = Serve.helpMessage(columns: 10_000)
        let lines = help.split(separator: "\n")
        let index = try #require(lines.firstIndex { $0.drop { $0 == " " }.hasPrefix(option) })
        // A long option has a line of its own.
        let text = lines[index...].prefix(2).joined(separator: " ")
        for part in parts { #expect(text.contains(part)) }
    }
}

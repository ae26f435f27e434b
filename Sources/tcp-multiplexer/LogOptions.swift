import ArgumentParser
import Logging

struct LogOptions: ParsableArguments {
    @Flag(
        name: [.short, .long],
        help: """
            Say more: clients that come and go, every attempt to reach the device. (default: notices, warnings and errors)
            """
    )
    var verbose = false

    @Flag(name: [.short, .long], help: "Say everything, each request too. (default: off)")
    var debug = false

    var logger: Logger {
        let level: Logger.Level = debug ? .debug : verbose ? .info : .notice
        return Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: level) }
    }
}

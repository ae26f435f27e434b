import ArgumentParser
import Logging

struct LogOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say more: clients that come and go, every attempt to reach the device.")
    var verbose = false

    @Flag(name: [.short, .long], help: "Say everything.")
    var debug = false

    var logger: Logger {
        let level: Logger.Level = debug ? .debug : verbose ? .info : .notice
        return Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: level) }
    }
}

import ArgumentParser
import Foundation
import Logging
import MultiplexerCore
import NIOCore
import SecureMux
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Share one device among many clients.",
        discussion: """
            Durations: a plain number is seconds; 500ms, 5s, 1m, 1m30s work too.

            Signals: SIGTERM and SIGINT stop accepting, finish what is in flight, fail what waits, and exit with 0; a second \
            one stops at once.
            """
    )

    @OptionGroup(title: "The device")
    var device: DeviceOptions

    @OptionGroup(title: "Clients")
    var clients: ClientOptions

    @OptionGroup(title: "TLS")
    var tls: TLSOptions

    @OptionGroup(title: "Log")
    var log: LogOptions

    func run() async throws {
        let logger = log.logger
        // Before anything is served: a signal that comes early must not be lost.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup, .sigquit)
        if device.givenProtocol == nil {
            logger.notice("speaking echo, since no protocol was named; give -p modbus for Modbus/TCP")
        }
        let server: Server
        do {
            server = try await Server.start(try configuration(), logger: logger)
        } catch {
            logger.error("\(error)")
            throw ExitCode.failure
        }
        var isStopping = false
        for await signal in signals {
            guard !isStopping else {
                logger.warning("stopped at once; requests in flight are lost", metadata: ["signal": "\(signal)"])
                Foundation.exit(EXIT_FAILURE)
            }
            isStopping = true
            logger.notice("stopping: finishing what is in flight", metadata: ["signal": "\(signal)"])
            Task {
                await server.drain()
                logger.notice("stopped")
                Foundation.exit(EXIT_SUCCESS)
            }
        }
    }

    private func configuration() throws -> ServerConfiguration {
        ServerConfiguration(
            device: device.target,
            applicationProtocol: device.applicationProtocol,
            listeners: try tls.listeners(clients),
            multiplexer: device.multiplexer
        )
    }
}

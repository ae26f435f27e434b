public import Logging
package import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Lets many clients share one connection to a device, from ``start(_:logger:)`` to ``drain()``.
public final class Server: Sendable {
    /// Where it listens, in the order of the configured listeners; with the port that the system chose where it was 0.
    public let addresses: [ListenAddress]

    private let group: MultiThreadedEventLoopGroup
    private let driver: NIOLoopBound<MultiplexerDriver>
    private let listeners: [any Channel]
    private let watch: LoopWatch
    private let drain = NIOLockedValueBox<Task<Void, Never>?>(nil)

    private init(
        addresses: [ListenAddress],
        group: MultiThreadedEventLoopGroup,
        driver: NIOLoopBound<MultiplexerDriver>,
        listeners: [any Channel],
        watch: LoopWatch
    ) {
        self.addresses = addresses
        self.group = group
        self.driver = driver
        self.listeners = listeners
        self.watch = watch
    }

    /// Starts listening.
    ///
    /// The device need not be there: it is connected to for the first request.
    ///
    /// The process's limit of open files is raised as far as it may be, since each client needs one.
    ///
    /// - Throws: ``ServerError`` when a listener cannot be opened or its TLS files cannot be used. Then nothing is left open.
    public static func start(_ configuration: ServerConfiguration, logger: Logger) async throws(ServerError) -> Server {
        try await start(configuration, stallLimit: .seconds(5), logger: logger)
    }

    /// Starts listening; an event loop that does nothing for longer than `stallLimit` is called stalled.
    static func start(
        _ configuration: ServerConfiguration,
        stallLimit: Duration,
        logger: Logger
    ) async throws(ServerError) -> Server {
        var prepared = try configuration.listeners.map { listener throws(ServerError) in
            try Listener(listener, for: configuration.applicationProtocol, logger: logger)
        }
        try DescriptorLimit.apply(to: &prepared, logger: logger)
        // All of a device lives on one loop.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        do {
            let (driver, resources) = try await eventLoop.submit {
                let driver = MultiplexerDriver(
                    device: configuration.device,
                    applicationProtocol: configuration.applicationProtocol,
                    configuration: configuration.multiplexer,
                    eventLoop: eventLoop,
                    makeLink: links(of: configuration),
                    logger: logger
                )
                let resources = TLSResources(eventLoop)
                return (
                    NIOLoopBound(driver, eventLoop: eventLoop), NIOLoopBound(resources, eventLoop: eventLoop)
                )
            }.get()
            var channels: [any Channel] = []
            for listener in prepared {
                channels.append(try await listener.open(driver, resources))
            }
            let watch = LoopWatch(
                eventLoop,
                interval: min(stallLimit / 5, .seconds(1)),
                limit: stallLimit,
                logger: logger
            )
            watch.start()
            return Server(
                addresses: zip(configuration.listeners, channels).map { listener, channel in
                    ListenAddress(
                        host: listener.address.host,
                        port: channel.localAddress?.port ?? listener.address.port
                    )
                },
                group: group,
                driver: driver,
                listeners: channels,
                watch: watch
            )
        } catch {
            try? await group.shutdownGracefully()
            throw error as? ServerError ?? ServerError("the server cannot start: \(error)")
        }
    }

    private static func links(of configuration: ServerConfiguration) -> LinkFactory {
        { id, owner in
            TCPLink(
                id,
                to: configuration.device,
                speaking: configuration.applicationProtocol,
                timeout: TimeAmount(configuration.multiplexer.connectTimeout),
                owner: owner
            )
        }
    }

    /// Stops: accepts nobody new, finishes what is in flight, fails what waits, closes every connection.
    ///
    /// Returns when all that is done, soon after the configured drain timeout at the latest. Calling it again joins the first call.
    public func drain() async {
        let drain = drain.withLockedValue { drain in
            let running = drain ?? Task { await self.stop() }
            drain = running
            return running
        }
        await drain.value
    }

    private func stop() async {
        for listener in listeners {
            try? await listener.close()
        }
        let driver = driver
        try? await driver.eventLoop.flatSubmit { driver.value.drain() }.get()
        await watch.stop()
        // Closes what is left: clients in their handshake, and those that outlasted the drain.
        try? await group.shutdownGracefully()
    }

    /// How the event loop is doing that does all the work; answers even when that loop does not.
    package var health: LoopHealth { watch.health }

    /// What has happened so far.
    package func statistics() async throws -> Multiplexer.Statistics {
        let driver = driver
        return try await driver.eventLoop.submit { driver.value.statistics }.get()
    }
}

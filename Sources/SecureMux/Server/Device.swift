import Logging
import MultiplexerCore
import NIOCore

/// A device that is shared: what runs it.
///
/// It lives on one event loop with all its listeners and their clients, and is to be used there alone.
final class Device {
    private let driver: MultiplexerDriver
    private let times: LinkTimes
    private let resources: TLSResources
    private let logger: Logger

    /// What each of its links is made with.
    private final class LinkTimes {
        var connectTimeout: Duration
        init(_ connectTimeout: Duration) { self.connectTimeout = connectTimeout }
    }

    /// A device that nobody can reach yet; unless it `mayConnect` nothing connects to it before ``allowConnecting(isSameDevice:)``.
    init(
        _ configuration: DeviceConfiguration,
        mayConnect: Bool,
        on eventLoop: any EventLoop,
        _ resources: TLSResources,
        logger: Logger
    ) {
        let times = LinkTimes(configuration.multiplexer.connectTimeout)
        (self.times, self.resources, self.logger) = (times, resources, logger)
        driver = MultiplexerDriver(
            device: configuration.name,
            applicationProtocol: configuration.applicationProtocol,
            configuration: configuration.multiplexer,
            mayConnect: mayConnect,
            eventLoop: eventLoop,
            makeLink: { id, owner in
                TCPLink(
                    id,
                    to: configuration.address,
                    from: configuration.source,
                    speaking: configuration.applicationProtocol,
                    timeout: TimeAmount(times.connectTimeout),
                    owner: owner
                )
            },
            logger: logger
        )
    }

    /// A listener whose clients share it.
    func makeListener(_ prepared: PreparedListener) -> Listener {
        Listener(prepared, driver: driver, resources: resources, logger: logger)
    }

    /// Has other times and limits hold from now on.
    func replaceTimes(by configuration: Multiplexer.Configuration) {
        times.connectTimeout = configuration.connectTimeout
        driver.replaceConfiguration(by: configuration)
    }

    /// Nobody else is connected any more; with `isSameDevice` the device had a connection until now.
    func allowConnecting(isSameDevice: Bool) { driver.allowConnecting(isSameDevice: isSameDevice) }

    /// Leaves the device to somebody else for this long, or until ``resume()``.
    func release(for duration: Duration?) { driver.release(for: duration) }

    /// The device is ours again.
    func resume() { driver.resume() }

    /// Finishes what is in flight, fails what waits, and closes its clients and its link; succeeds when nothing is left, or the
    /// time is up and its link is gone.
    func drain() -> EventLoopFuture<Void> { driver.drain() }

    /// What has happened so far.
    var statistics: Multiplexer.Statistics { driver.statistics }
}

@available(*, unavailable)
extension Device: Sendable {}

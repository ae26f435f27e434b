import Logging
import MultiplexerCore
import NIOCore

/// A device that is shared: what runs it, and the listeners through which its clients come.
///
/// All of it lives on one event loop, and is to be used there alone.
final class Device {
    private let driver: MultiplexerDriver
    private var listeners: [Listener]

    /// A device that nobody can reach yet.
    init(_ prepared: PreparedDevice, on eventLoop: any EventLoop, _ resources: TLSResources, logger: Logger) {
        let configuration = prepared.configuration
        let driver = MultiplexerDriver(
            device: configuration.name,
            applicationProtocol: configuration.applicationProtocol,
            configuration: configuration.multiplexer,
            eventLoop: eventLoop,
            makeLink: { id, owner in
                TCPLink(
                    id,
                    to: configuration.address,
                    from: configuration.source,
                    speaking: configuration.applicationProtocol,
                    timeout: TimeAmount(configuration.multiplexer.connectTimeout),
                    owner: owner
                )
            },
            logger: logger
        )
        self.driver = driver
        listeners = prepared.listeners.map {
            Listener($0, driver: driver, resources: resources, logger: logger)
        }
    }

    /// Opens its listeners, one after the other.
    ///
    /// - Returns: Where they listen, in their order.
    func open() -> EventLoopFuture<[ListenAddress]> {
        var all = driver.eventLoop.makeSucceededFuture([ListenAddress]())
        let bound = NIOLoopBound(listeners, eventLoop: driver.eventLoop)
        for index in listeners.indices {
            all = all.flatMap { addresses in bound.value[index].open().map { addresses + [$0] } }
        }
        return all
    }

    /// Has other rules hold at a listener.
    func replaceRules(of listener: Int, by prepared: PreparedListener) {
        listeners[listener].replaceRules(by: prepared)
    }

    /// Accepts nobody new, finishes what is in flight, fails what waits, and closes its clients and its link; succeeds when
    /// nothing is left or the time is up.
    func drain() -> EventLoopFuture<Void> {
        // An error means that it is closed.
        let closed = listeners.map { $0.close().recover { _ in } }
        let bound = NIOLoopBound(driver, eventLoop: driver.eventLoop)
        return EventLoopFuture.andAllSucceed(closed, on: driver.eventLoop).flatMap { bound.value.drain() }
    }

    /// What has happened so far.
    var statistics: Multiplexer.Statistics { driver.statistics }
}

@available(*, unavailable)
extension Device: Sendable {}

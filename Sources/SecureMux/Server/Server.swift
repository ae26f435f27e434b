public import Logging
package import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Lets many clients share the connections to some devices, from ``start(_:logger:)`` to ``drain()``.
///
/// Each device lives on one event loop, with all its clients; there are as many loops as processors at most, and devices share
/// them. What one device does costs the others nothing but their share of a processor.
public final class Server: Sendable {
    /// Where it listens, in the order of the configured devices and of each one's listeners; with the port that the system chose
    /// where it was 0.
    public let addresses: [ListenAddress]

    private let group: MultiThreadedEventLoopGroup
    private let tenants: [Tenant]
    private let watch: LoopWatch
    /// Nil without TLS.
    private let handshakes: HandshakePool?
    private let places: NIOLockedValueBox<ClientPlaces>
    private let logger: Logger
    private let drain = NIOLockedValueBox<Task<Void, Never>?>(nil)

    /// A device as it is seen from outside of its loop.
    private struct Tenant: Sendable {
        /// Which of the configured ones it is.
        let number: Int
        let prepared: PreparedDevice
        let eventLoop: any EventLoop
        let device: NIOLoopBound<Device>
        /// Where its listeners' addresses begin among those of all.
        var firstAddress = 0
    }

    private init(
        addresses: [ListenAddress],
        group: MultiThreadedEventLoopGroup,
        tenants: [Tenant],
        watch: LoopWatch,
        handshakes: HandshakePool?,
        places: ClientPlaces,
        logger: Logger
    ) {
        self.addresses = addresses
        self.group = group
        self.tenants = tenants
        self.watch = watch
        self.handshakes = handshakes
        self.places = NIOLockedValueBox(places)
        self.logger = logger
    }

    /// Starts listening.
    ///
    /// The devices need not be there: each is connected to for its first request.
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
        var prepared = try configuration.devices.map { device throws(ServerError) in try PreparedDevice(device) }
        let threads = max(min(prepared.count, System.coreCount), 1)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let speaksTLS = prepared.contains { $0.listeners.contains { $0.configuration.rules.tls != nil } }
        let handshakes = speaksTLS ? HandshakePool() : nil
        var watching: LoopWatch?
        do {
            let loops = try await makeLoops(of: group, threads, handshakes)
            let watch = LoopWatch(
                loops.map(\.eventLoop),
                interval: min(stallLimit / 5, .seconds(1)),
                limit: stallLimit,
                logger: logger
            )
            watching = watch
            // Now, since the loops and the watch need descriptors too.
            let places = try ClientPlaces(for: prepared, logger: logger)
            for (device, granted) in places.granted.enumerated() {
                for (listener, clients) in granted.enumerated() {
                    prepared[device].listeners[listener].clients = clients
                }
            }
            var tenants: [Tenant] = []
            var addresses: [ListenAddress] = []
            for (index, device) in prepared.enumerated() {
                var logger = logger
                if prepared.count > 1 { logger[metadataKey: "device"] = "\(device.configuration.name)" }
                var tenant = try await tenant(index, device, on: loops[index % threads], logger)
                tenant.firstAddress = addresses.count
                let bound = tenant.device
                addresses += try await tenant.eventLoop.flatSubmit { bound.value.open() }.get()
                tenants.append(tenant)
            }
            watch.start()
            return Server(
                addresses: addresses,
                group: group,
                tenants: tenants,
                watch: watch,
                handshakes: handshakes,
                places: places,
                logger: logger
            )
        } catch {
            await watching?.stop()
            await handshakes?.shutdown()
            try? await group.shutdownGracefully()
            throw error as? ServerError ?? ServerError("the server cannot start: \(error)")
        }
    }

    /// An event loop, and what belongs to it rather than to a device.
    private struct Loop: Sendable {
        let eventLoop: any EventLoop
        let resources: NIOLoopBound<TLSResources>
    }

    private static func makeLoops(
        of group: MultiThreadedEventLoopGroup,
        _ count: Int,
        _ handshakes: HandshakePool?
    ) async throws -> [Loop] {
        var loops: [Loop] = []
        for _ in 0..<count {
            let eventLoop = group.next()
            let resources = try await eventLoop.submit {
                NIOLoopBound(TLSResources(eventLoop, handshakes), eventLoop: eventLoop)
            }.get()
            loops.append(Loop(eventLoop: eventLoop, resources: resources))
        }
        return loops
    }

    private static func tenant(
        _ number: Int,
        _ prepared: PreparedDevice,
        on loop: Loop,
        _ logger: Logger
    ) async throws -> Tenant {
        let eventLoop = loop.eventLoop
        let device = try await eventLoop.submit {
            NIOLoopBound(
                Device(prepared, on: eventLoop, loop.resources.value, logger: logger),
                eventLoop: eventLoop
            )
        }.get()
        return Tenant(number: number, prepared: prepared, eventLoop: eventLoop, device: device)
    }

    /// Has other rules hold at a listener that is open, without closing it.
    ///
    /// Clients whose address may not be there any more are cut off; nobody else notices anything. A client that is connected over
    /// TLS stays so: another certificate, authority or version is for those that connect from now on.
    ///
    /// - Parameters:
    ///   - listener: Which of the device's listeners, in the order in which they were configured.
    ///   - device: The name of the device.
    ///   - rules: Who may come from now on. Whether TLS is spoken has to stay as it is.
    /// - Throws: ``ServerError`` when there is no such listener, or the rules' files cannot be used. Then nothing has changed.
    public func replaceRules(
        ofListener listener: Int,
        of device: String,
        by rules: ListenerRules
    ) async throws(ServerError) {
        let tenant = try tenant(named: device)
        guard tenant.prepared.listeners.indices.contains(listener) else {
            throw ServerError("device \(device) has no listener \(listener)")
        }
        var configuration = tenant.prepared.listeners[listener].configuration
        guard (configuration.rules.tls == nil) == (rules.tls == nil) else {
            throw ServerError("a listener that is open cannot begin or cease to speak TLS: open another one for that")
        }
        do {
            try rules.check()
        } catch {
            throw ServerError("\(error)")
        }
        configuration.rules = rules
        var prepared = try PreparedListener(configuration, for: tenant.prepared.configuration.applicationProtocol)
        let (wanted, number) = (prepared.clients, tenant.number)
        prepared.clients = places.withLockedValue {
            $0.replace(listener, of: number, by: wanted, logger: logger)
        }
        let replacement = prepared
        do {
            try await tenant.eventLoop.submit {
                tenant.device.value.replaceRules(of: listener, by: replacement)
            }.get()
        } catch {
            throw ServerError("the server has stopped")
        }
    }

    private func tenant(named name: String) throws(ServerError) -> Tenant {
        guard let tenant = tenants.first(where: { $0.prepared.configuration.name == name }) else {
            throw ServerError("there is no device called \(name)")
        }
        return tenant
    }

    /// What the devices are called, in the order in which they were configured.
    public var deviceNames: [String] { tenants.map(\.prepared.configuration.name) }

    /// Where clients of a device connect, in the order in which its listeners were configured; empty if there is no such device.
    public func addresses(of device: String) -> [ListenAddress] {
        guard let tenant = try? tenant(named: device) else { return [] }
        return Array(addresses[tenant.firstAddress...].prefix(tenant.prepared.listeners.count))
    }

    /// Stops: accepts nobody new, finishes what is in flight, fails what waits, closes every connection.
    ///
    /// Returns when all that is done, soon after the longest of the devices' drain timeouts at the latest. Calling it again joins
    /// the first call.
    public func drain() async {
        let drain = drain.withLockedValue { drain in
            let running = drain ?? Task { await self.stop() }
            drain = running
            return running
        }
        await drain.value
    }

    private func stop() async {
        await withTaskGroup { group in
            for tenant in tenants {
                group.addTask { try? await tenant.eventLoop.flatSubmit { tenant.device.value.drain() }.get() }
            }
        }
        await watch.stop()
        // Before the loops, since a step that is being taken comes back to its own.
        await handshakes?.shutdown()
        // Closes what is left: clients in their handshake, and those that outlasted the drain.
        try? await group.shutdownGracefully()
    }

    /// How the event loops are doing that do all the work; answers even when those do not.
    package var health: LoopHealth { watch.health }

    /// What has happened so far at a device, or at the only one.
    package func statistics(of device: String? = nil) async throws -> Multiplexer.Statistics {
        let tenant = try tenant(named: device ?? tenants.first?.prepared.configuration.name ?? "")
        return try await tenant.eventLoop.submit { tenant.device.value.statistics }.get()
    }
}

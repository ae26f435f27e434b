public import Logging
package import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore

/// Lets many clients share the connections to some devices, from ``start(_:logger:)`` to ``drain()``.
///
/// Each device lives on one event loop, with all its clients; there are as many loops as processors at most, and devices share
/// them. What one device does costs the others nothing but their share of a processor.
public final class Server: Sendable {
    let state = NIOLockedValueBox(State())
    let watch: LoopWatch
    let logger: Logger

    /// What is shared now, and what is being changed.
    struct State: Sendable {
        var current: Current
        /// The last change that was asked for; each waits for the one before.
        var lastChange: Task<Result<ReloadOutcome, ServerError>, Never>?
        /// A change that is being carried out, and cannot fail any more.
        var commit: Task<Void, Never>?
        /// Devices that are shared no more and finish what is in flight.
        var retiring: [Retiring] = []
        var drain: Task<Void, Never>?

        init() {
            current = Current()
        }
    }

    private init(stallLimit: Duration, logger: Logger) {
        self.logger = logger
        watch = LoopWatch([], interval: min(stallLimit / 5, .seconds(1)), limit: stallLimit, logger: logger)
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
        let server = Server(stallLimit: stallLimit, logger: logger)
        do {
            _ = try await server.change { _ in configuration }
            server.watch.start()
            return server
        } catch {
            await server.drain()
            throw error
        }
    }

    /// Where it listens, in the order of the configured devices and of each one's listeners; with the port that the system chose
    /// where it was 0.
    public var addresses: [ListenAddress] { current.tenants.flatMap { $0.listeners.map(\.address) } }

    /// What the devices are called, in the order in which they were configured.
    public var deviceNames: [String] { current.tenants.map(\.configuration.name) }

    /// Where clients of a device connect, in the order in which its listeners were configured; empty if there is no such device.
    public func addresses(of device: String) -> [ListenAddress] {
        (try? tenant(named: device))?.listeners.map(\.address) ?? []
    }

    /// Stops: accepts nobody new, finishes what is in flight, fails what waits, closes every connection.
    ///
    /// Returns when all that is done, soon after the longest of the devices' drain timeouts at the latest. Calling it again joins
    /// the first call.
    public func drain() async {
        let drain = state.withLockedValue { state in
            let running = state.drain ?? Task { await self.stop() }
            state.drain = running
            return running
        }
        await drain.value
    }

    private func stop() async {
        // What has begun to change is changed first, since it is neither the one nor the other meanwhile.
        await state.withLockedValue { $0.commit }?.value
        let (tenants, retiring) = state.withLockedValue { ($0.current.tenants, $0.retiring) }
        await withTaskGroup { group in
            for tenant in tenants { group.addTask { await tenant.drain() } }
            for device in retiring { group.addTask { await device.gone.value } }
        }
        // What was asked for later fails.
        _ = await state.withLockedValue { $0.lastChange }?.value
        await watch.stop()
        // Closes what is left: clients in their handshake, and those that outlasted the drain.
        await current.loops.shutdown()
    }

    /// How the event loops are doing that do all the work; answers even when those do not.
    package var health: LoopHealth { watch.health }

    /// What has happened so far at a device, or at the only one.
    package func statistics(of device: String? = nil) async throws -> Multiplexer.Statistics {
        let tenant = try tenant(named: device ?? deviceNames.first ?? "")
        return try await tenant.loop.eventLoop.submit { tenant.device.value.statistics }.get()
    }

    /// Leaves a device to somebody else: what is in flight is finished, then its connection is closed and none is opened; requests
    /// fail as if the device could not be reached.
    ///
    /// - Parameters:
    ///   - device: The name of the device.
    ///   - duration: For how long; nil until ``resume(_:)``. A release while it is released begins anew.
    /// - Throws: ``ServerError`` when there is no such device, or the server has stopped.
    public func release(_ device: String, for duration: Duration? = nil) async throws(ServerError) {
        try await tell(device) { $0.release(for: duration) }
    }

    /// Takes a device back that was released; one that was not is left as it is.
    ///
    /// - Parameter device: The name of the device.
    /// - Throws: ``ServerError`` when there is no such device, or the server has stopped.
    public func resume(_ device: String) async throws(ServerError) {
        try await tell(device) { $0.resume() }
    }

    private func tell(_ name: String, _ order: @escaping @Sendable (Device) -> Void) async throws(ServerError) {
        let tenant = try tenant(named: name)
        do {
            try await tenant.loop.eventLoop.submit { order(tenant.device.value) }.get()
        } catch {
            throw ServerError("the server has stopped")
        }
    }

    var current: Current { state.withLockedValue { $0.current } }

    func tenant(named name: String) throws(ServerError) -> Tenant {
        guard let tenant = current.tenants.first(where: { $0.configuration.name == name }) else {
            throw ServerError("there is no device called \(name)")
        }
        return tenant
    }
}

/// What a server shares at a time.
struct Current: Sendable {
    var configuration = ServerConfiguration.nothing
    /// In the order of the configuration.
    var tenants: [Tenant] = []
    var loops = Loops()
    var places = ClientPlaces()
    /// Nil before the first loop and the watch have what they need.
    var room: ClientPlaces.Room?

    /// The listener at a place of the configuration.
    subscript(place: ReloadPlan.Place) -> Tenant.Seat { tenants[place.device].listeners[place.listener] }
}

/// A device that is shared no more.
struct Retiring: Sendable {
    let name: String
    let address: DeviceAddress
    let device: Tenant.ID
    /// Ends when nothing is left of its connection.
    let gone: Task<Void, Never>

    /// Whether another device may not connect before it is gone: it has its name, or is the same device.
    func precedes(_ other: DeviceConfiguration) -> Bool { name == other.name || address == other.address }
}

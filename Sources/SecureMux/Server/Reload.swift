import Logging
import MultiplexerCore
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The way from what a server shares to what it is to share.
///
/// First all that may fail is done, and nothing changes for anybody: files are read, sockets bound, devices and listeners made.
/// Then all of it is handed over, which cannot fail.
struct Reload: Sendable {
    let configuration: ServerConfiguration
    /// What will be shared.
    private(set) var tenants: [Tenant] = []
    private(set) var places = ClientPlaces()
    /// Devices that are shared no more.
    private(set) var retired: [Tenant] = []
    /// Devices that may not be connected to yet: others have to go first.
    private(set) var waiting: [Tenant] = []

    private let before: Current
    private var plan: ReloadPlan
    /// By device and listener of the new configuration.
    private var listeners: [[PreparedListener]] = []
    private var sockets: [[ListeningSocket?]] = []
    /// Listeners that are new, or have another's socket; nobody is accepted yet.
    private var opened: [Tenant.Seat] = []
    /// Listeners that accept nobody any more.
    private var closed: [Tenant.Seat] = []
    /// Ports that two sockets of ours shared for a moment.
    private var sharedPorts: [Int] = []
    /// Those of them whose device goes on.
    private var dismissed: [Tenant.Seat] = []

    init(from before: Current, to configuration: ServerConfiguration) {
        (self.before, self.configuration) = (before, configuration)
        plan = ReloadPlan(from: before.configuration, to: configuration)
    }

    /// What becomes different by it.
    var outcome: ReloadOutcome { ReloadOutcome(plan, from: before.configuration) }
}

// MARK: - What may fail

extension Reload {
    /// Does all that may fail; what is opened by then is closed by ``abandon()``.
    mutating func prepare(waitingFor retiring: [Retiring], _ logger: Logger) async throws {
        try readFiles()
        let wanted = configuration.devices.map { $0.listeners.map(\.rules.limits.clients) }
        guard let room = before.room else { throw ServerError("nobody knows how many files may be open") }
        places = try ClientPlaces(among: wanted, of: room, before: before.places, logger: logger)
        for device in listeners.indices {
            for listener in listeners[device].indices {
                listeners[device][listener].clients = places.granted[device][listener]
            }
        }
        findWhatGoes()
        try await bindSockets()
        try await makeTenants(waitingFor: retiring, logger)
    }

    /// Closes what was opened.
    func abandon() async {
        for seat in opened { await seat.close() }
    }

    private mutating func readFiles() throws(ServerError) {
        for (index, device) in configuration.devices.enumerated() {
            var prepared: [PreparedListener] = []
            for (number, listener) in device.listeners.enumerated() {
                prepared.append(try read(listener, of: device, at: (index, number)))
            }
            listeners.append(prepared)
        }
    }

    /// Reads the files of a listener; where those of one that is left alone have another content, it gets other rules.
    private mutating func read(
        _ listener: ListenerConfiguration,
        of device: DeviceConfiguration,
        at place: (device: Int, listener: Int)
    ) throws(ServerError) -> PreparedListener {
        let step = plan.devices[place.device].listeners[place.listener]
        let old = step.old.map { before[$0].prepared }
        do {
            var read = try PreparedListener(listener, for: device.applicationProtocol)
            guard step.step == .leftAlone, let old else { return read }
            if let tls = read.tls, let oldTLS = old.tls, !tls.isEqual(to: oldTLS) {
                plan.devices[place.device].listeners[place.listener].step = .rules
            } else {
                read = old
            }
            return read
        } catch {
            // What a server is started with needs no such words: there all of it is wrong.
            guard !before.tenants.isEmpty else { throw error }
            throw ServerError("device \(device.name), listener \(listener.address): \(error.sentence)")
        }
    }

    private mutating func findWhatGoes() {
        let keptDevices = Set(plan.devices.filter(\.isKept).compactMap(\.old))
        retired = before.tenants.indices.filter { !keptDevices.contains($0) }.map { before.tenants[$0] }
        let handedOver = plan.devices.flatMap(\.listeners).filter { $0.step == .replaced }.compactMap(\.old)
        let places = plan.removedListeners + handedOver
        closed = places.map { before[$0] }
        dismissed = places.filter { keptDevices.contains($0.device) }.map { before[$0] }
    }

    private mutating func bindSockets() async throws {
        for device in plan.devices {
            var opened: [ListeningSocket?] = []
            for listener in device.listeners {
                switch listener.step {
                case .leftAlone, .rules: opened.append(nil)
                case .added: opened.append(try await bind(listener.address))
                case .replaced:
                    guard let seat = listener.old.map({ before[$0] }) else { continue }
                    opened.append(
                        try await seat.loop.eventLoop.submit { try seat.listener.value.duplicateSocket() }.get()
                    )
                }
            }
            sockets.append(opened)
        }
    }

    /// Listens at an address, also at one that overlaps that of a listener of ours which goes.
    private mutating func bind(_ address: ListenAddress) async throws -> ListeningSocket {
        do {
            return try ListeningSocket.open(at: address)
        } catch {
            let beside = plan.removedListeners.map { before[$0] }.filter { $0.address.port == address.port }
            guard let error = error as? IOError, error.errnoCode == EADDRINUSE, !beside.isEmpty else {
                throw ServerError("\(address.explanation(ofFailedBind: error))")
            }
            return try await bind(address, beside: beside)
        }
    }

    private mutating func bind(_ address: ListenAddress, beside others: [Tenant.Seat]) async throws -> ListeningSocket {
        // For this moment only: as long as a port is shared, another program of this user could listen there, too.
        for seat in others { await seat.run { try? $0.sharePort(true) } }
        let bound = Result { try ListeningSocket.open(at: address, sharesPort: true) }
        for seat in others { await seat.run { try? $0.sharePort(false) } }
        switch bound {
        case .success(let socket):
            socket.sharePort(false)
            sharedPorts.append(address.port)
            return socket
        case .failure(let error):
            throw ServerError("\(address.explanation(ofFailedBind: error))")
        }
    }

    private mutating func makeTenants(waitingFor retiring: [Retiring], _ logger: Logger) async throws {
        for (index, configuration) in configuration.devices.enumerated() {
            let device = plan.devices[index]
            var tenant: Tenant
            if device.isKept, let old = device.old {
                tenant = before.tenants[old]
                tenant.configuration = configuration
            } else {
                tenant = try await makeTenant(configuration, waitingFor: retiring, logger)
            }
            tenant.listeners = []
            for (number, listener) in device.listeners.enumerated() {
                let prepared = listeners[index][number]
                if let socket = sockets[index][number] {
                    let seat = try await open(prepared, on: socket, of: tenant)
                    opened.append(seat)
                    tenant.listeners.append(seat)
                } else if let old = listener.old {
                    var seat = before[old]
                    seat.prepared = prepared
                    tenant.listeners.append(seat)
                }
            }
            tenants.append(tenant)
        }
        waiting = waiting.compactMap { tenant in tenants.first { $0.id === tenant.id } }
    }

    private mutating func makeTenant(
        _ configuration: DeviceConfiguration,
        waitingFor retiring: [Retiring],
        _ logger: Logger
    ) async throws -> Tenant {
        let busy = tenants.map(\.loop) + before.tenants.map(\.loop)
        guard let loop = before.loops.leastBusy(of: busy) else { throw ServerError("there is no event loop") }
        let mayConnect =
            !retiring.contains { $0.precedes(configuration) }
            && !retired.contains {
                $0.configuration.name == configuration.name || $0.configuration.address == configuration.address
            }
        var logger = logger
        if self.configuration.devices.count > 1 || configuration.isNamed {
            logger[metadataKey: "device"] = "\(configuration.name)"
        }
        let told = logger
        let device = try await loop.eventLoop.submit {
            NIOLoopBound(
                Device(
                    configuration,
                    mayConnect: mayConnect,
                    on: loop.eventLoop,
                    loop.resources.value,
                    logger: told
                ),
                eventLoop: loop.eventLoop
            )
        }.get()
        let tenant = Tenant(configuration: configuration, loop: loop, device: device)
        if !mayConnect { waiting.append(tenant) }
        return tenant
    }

    private func open(
        _ prepared: PreparedListener,
        on socket: ListeningSocket,
        of tenant: Tenant
    ) async throws -> Tenant.Seat {
        let eventLoop = tenant.loop.eventLoop
        let address = prepared.configuration.address
        let bound = ListenAddress(checked: address.host, port: socket.port ?? address.port)
        let listener = try await eventLoop.submit {
            NIOLoopBound(tenant.device.value.makeListener(prepared), eventLoop: eventLoop)
        }.get()
        try await eventLoop.flatSubmit { listener.value.open(on: socket) }.get()
        return Tenant.Seat(prepared: prepared, address: bound, listener: listener, loop: tenant.loop)
    }
}

// MARK: - What cannot

extension Reload {
    /// Lets clients come to what is new, and to what is old no more; has other times and rules hold.
    func handOver() async {
        for seat in closed { await seat.close() }
        for seat in opened { await seat.run { $0.accept() } }
        for (device, tenant) in zip(plan.devices, tenants) {
            let times = tenant.configuration.multiplexer
            if device.step == .times { await tenant.run { $0.replaceTimes(by: times) } }
            for (listener, seat) in zip(device.listeners, tenant.listeners) {
                let prepared = seat.prepared
                if listener.step == .rules {
                    await seat.run { $0.replaceRules(by: prepared) }
                } else if listener.step == .leftAlone, let old = listener.old,
                    before.places.granted[old.device][old.listener] != prepared.clients
                {
                    await seat.run { $0.replaceLimits(by: prepared) }
                }
            }
        }
        for port in sharedPorts { ListeningSocket.forgetSharing(port) }
        for seat in dismissed { await seat.run { $0.dismissClients() } }
    }

    /// Has clients go that would be refused by now for their certificate, or since they showed none.
    func verifyClients() async {
        for (device, tenant) in zip(plan.devices, tenants) {
            for (listener, seat) in zip(device.listeners, tenant.listeners) where listener.step == .rules {
                guard let tls = seat.prepared.tls, let old = listener.old.flatMap({ before[$0].prepared.tls }),
                    !tls.admits(sameAs: old)
                else { continue }
                await seat.verifyClients(by: tls)
            }
        }
    }
}

extension Tenant.Seat {
    /// Verifies what clients showed beside the loop: that takes a tenth of a millisecond for each.
    fileprivate func verifyClients(by tls: TLSContext) async {
        let (listener, eventLoop) = (listener, loop.eventLoop)
        let here = try? await eventLoop.submit {
            let (sessions, peers) = listener.value.overTLS()
            return (sessions: NIOLoopBound(sessions, eventLoop: eventLoop), peers: peers)
        }.get()
        guard let here else { return }
        let refusals = here.peers.map { tls.refusal(of: $0) }
        try? await eventLoop.submit {
            for (session, refusal) in zip(here.sessions.value, refusals) {
                if let refusal { session.depart(.notTrusted(refusal)) }
            }
        }.get()
    }
}

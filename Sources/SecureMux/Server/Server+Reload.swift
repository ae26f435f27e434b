import Logging
import NIOConcurrencyHelpers
import NIOCore

extension Server {
    /// Makes another configuration hold, and touches nothing that is the same in both.
    ///
    /// Devices are the same where their names are, listeners where their addresses are; their order means nothing. Files are read
    /// anew, also those of the same name. A device keeps its connection unless its address or protocol is another; a listener
    /// keeps its socket and clients unless they are to speak otherwise. Whoever may not be there any more goes between two
    /// requests. A reload while another one runs is done after it.
    ///
    /// - Returns: What was changed and what was left alone; the log says so, too.
    /// - Throws: ``ServerError`` when a listener cannot be opened, its TLS files cannot be used, there are too few descriptors, or
    ///   the server is stopping. Then nothing has changed.
    public func reload(_ configuration: ServerConfiguration) async throws(ServerError) -> ReloadOutcome {
        let outcome = try await change { _ in configuration }
        logger.notice("the configuration was reloaded", metadata: ["outcome": "\(outcome)"])
        return outcome
    }

    /// Has other rules hold at a listener that is open, without closing it: a ``reload(_:)`` of this alone.
    ///
    /// Clients whose address may not be there any more go between two requests, and so do those whose certificate is not trusted
    /// any more; nobody else notices anything. Another certificate or version is for those that connect from now on.
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
        _ = try await change { configuration throws(ServerError) in
            var devices = configuration.devices
            guard let index = devices.firstIndex(where: { $0.name == device }) else {
                throw ServerError("there is no device called \(device)")
            }
            guard devices[index].listeners.indices.contains(listener) else {
                throw ServerError("device \(device) has no listener \(listener)")
            }
            guard (devices[index].listeners[listener].rules.tls == nil) == (rules.tls == nil) else {
                throw ServerError("a listener that is open cannot begin or cease to speak TLS: reload it for that")
            }
            devices[index].listeners[listener].rules = rules
            do {
                return try ServerConfiguration(devices: devices)
            } catch {
                throw ServerError("\(error)")
            }
        }
    }

    /// Makes what `other` makes of the configuration hold, once what was asked for before is done.
    func change(
        to other: @escaping @Sendable (ServerConfiguration) throws(ServerError) -> ServerConfiguration
    ) async throws(ServerError) -> ReloadOutcome {
        let task = state.withLockedValue { state in
            let before = state.lastChange
            let task = Task { () -> Result<ReloadOutcome, ServerError> in
                _ = await before?.value
                do throws(ServerError) {
                    return .success(try await self.apply(other(self.current.configuration)))
                } catch {
                    return .failure(error)
                }
            }
            state.lastChange = task
            return task
        }
        return try await task.value.get()
    }

    private func apply(_ configuration: ServerConfiguration) async throws(ServerError) -> ReloadOutcome {
        try checkNotDraining()
        try await grow(for: configuration)
        let current = current
        var reload = Reload(from: current, to: configuration)
        do {
            try await reload.prepare(waitingFor: state.withLockedValue { $0.retiring }, logger)
        } catch {
            await reload.abandon()
            throw error as? ServerError ?? ServerError("the configuration cannot be loaded: \(error)")
        }
        let prepared = reload
        let commit = state.withLockedValue { state -> Task<Void, Never>? in
            guard state.drain == nil else { return nil }
            let commit = Task { await self.commit(prepared) }
            state.commit = commit
            return commit
        }
        guard let commit else {
            await reload.abandon()
            throw Self.draining
        }
        await commit.value
        return reload.outcome
    }

    /// Carries out what is known to work.
    private func commit(_ reload: Reload) async {
        await reload.handOver()
        state.withLockedValue { state in
            state.current.configuration = reload.configuration
            state.current.tenants = reload.tenants
            state.current.places = reload.places
            for tenant in reload.retired { retire(tenant, &state) }
            for tenant in reload.waiting { letWait(tenant, for: state.retiring) }
        }
        await reload.verifyClients()
    }

    /// Drains a device that is shared no more.
    private func retire(_ tenant: Tenant, _ state: inout State) {
        let gone = Task {
            await tenant.drain()
            self.state.withLockedValue { state in
                state.retiring.removeAll { $0.device === tenant.id }
            }
        }
        let (name, address) = (tenant.configuration.name, tenant.configuration.address)
        state.retiring.append(Retiring(name: name, address: address, device: tenant.id, gone: gone))
    }

    /// Has a new device connect once nobody else is connected to it, or is in its place.
    private func letWait(_ tenant: Tenant, for retiring: [Retiring]) {
        let before = retiring.filter { $0.precedes(tenant.configuration) }
        Task {
            for device in before { await device.gone.value }
            let isSameDevice = before.contains { $0.address == tenant.configuration.address }
            await tenant.run { $0.allowConnecting(isSameDevice: isSameDevice) }
        }
    }

    /// As many loops as there are devices, and threads for handshakes.
    private func grow(for configuration: ServerConfiguration) async throws(ServerError) {
        var (loops, room) = (current.loops, current.room)
        do {
            let new = try await loops.grow(for: configuration.devices.count)
            if configuration.devices.contains(where: { $0.listeners.contains { $0.rules.tls != nil } }) {
                try await loops.speakTLS()
            }
            watch.add(new.map(\.eventLoop))
            room?.free -= new.count * Loops.descriptors
        } catch {
            throw ServerError("there is no event loop for the devices: \(error)")
        }
        let (grown, left) = (loops, room ?? ClientPlaces.Room())
        state.withLockedValue { ($0.current.loops, $0.current.room) = (grown, left) }
    }

    private func checkNotDraining() throws(ServerError) {
        if state.withLockedValue({ $0.drain != nil }) { throw Self.draining }
    }

    private static let draining = ServerError("the server is stopping")
}

import MultiplexerCore
import NIOCore

/// The clients of one listener: which are let in, which have to make room, and what all of them share while they are there.
///
/// To be used on the loop of the listener and its clients alone.
final class AdmittedClients {
    private(set) var limits: ClientLimits
    private var allowList: AllowList
    /// With what they speak TLS from now on; nil without.
    private var tls: TLSContext?
    let reports: ListenerReports
    let timeoutSweep: TimeoutSweep

    private var admission: Admission
    private var budget: MemoryBudget<Admission.Ticket>
    private var tickets: [ObjectIdentifier: Admission.Ticket] = [:]
    private var places: [Admission.Ticket: Place] = [:]

    private struct Place {
        let channel: any Channel
        let address: IPAddress
        /// Nil until its pipeline is there.
        var session: ClientSession?
    }

    /// Nobody yet, and those of `allowList` later.
    init(
        _ limits: ClientLimits,
        allowList: AllowList,
        tls: TLSContext?,
        reports: ListenerReports,
        eventLoop: any EventLoop
    ) {
        self.limits = limits
        self.allowList = allowList
        self.tls = tls
        self.reports = reports
        timeoutSweep = TimeoutSweep(eventLoop, interval: limits.interval)
        admission = Admission(maximumClients: limits.clients, maximumPerAddress: limits.clientsPerAddress)
        budget = MemoryBudget(limit: limits.messageMemory)
    }

    /// Whether clients may come from an address.
    func allows(_ address: IPAddress) -> Bool { allowList.allows(address) }

    /// Has other rules hold from now on; those who may not be here by them go between two requests.
    ///
    /// Those whose certificate is not trusted any more are found by ``overTLS``: to verify it takes a while.
    ///
    /// Where more are here than fit, nobody has to go; as long as that is so, nobody is added: who comes takes the place of one
    /// that has asked nothing, or finds it full.
    func replace(_ limits: ClientLimits, allowList: AllowList, tls: TLSContext?) {
        (self.limits, self.allowList, self.tls) = (limits, allowList, tls)
        timeoutSweep.interval = TimeAmount(limits.interval)
        admission.resize(maximumClients: limits.clients, maximumPerAddress: limits.clientsPerAddress)
        budget.limit = limits.messageMemory
        for place in Array(places.values) where !allowList.allows(place.address) {
            if let session = place.session {
                session.depart(.notAllowed)
            } else {
                reports.tell(.allowedNoMore(client: place.channel.peerName))
                place.channel.close(promise: nil)
            }
        }
        for place in places.values { place.session?.limitsChanged() }
    }

    /// Has all of them go between two requests.
    func dismiss() {
        for place in Array(places.values) {
            if let session = place.session { session.depart(.dismissed) } else { place.channel.close(promise: nil) }
        }
    }

    /// Those that speak TLS and may send requests, with what their peers showed.
    var overTLS: [(session: ClientSession, peer: PeerChain)] {
        places.values.compactMap { place in
            guard let session = place.session, let peer = session.session?.peerChain else { return nil }
            return (session, peer)
        }
    }

    /// Why a client is refused whose handshake was with `context` and is complete; nil if it is not.
    func refusal(of peer: PeerChain, by context: TLSContext) -> TLSRefusal? {
        guard let tls, tls !== context, !tls.admits(sameAs: context) else { return nil }
        return tls.refusal(of: peer)
    }

    /// Lets a client in that has just connected, or says that it cannot.
    func admit(_ channel: any Channel, from address: IPAddress) -> Bool {
        let ticket: Admission.Ticket
        switch admission.admit(from: address) {
        case .refused(let refusal):
            reports.tell(.full(refusal, client: channel.peerName))
            return false
        case .admitted(let admitted):
            ticket = admitted
        case .admittedInsteadOf(let admitted, let evicted):
            ticket = admitted
            if let other = places[evicted] {
                reports.tell(.shed(client: other.channel.peerName))
                cutOff(other)
            }
        }
        tickets[ObjectIdentifier(channel)] = ticket
        places[ticket] = Place(channel: channel, address: address)
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.left(channel) }
        return true
    }

    /// The session of a client that was let in.
    ///
    /// - Returns: By what it is known here; nil if it has left.
    func seat(_ session: ClientSession, of channel: any Channel) -> Admission.Ticket? {
        guard let ticket = tickets[ObjectIdentifier(channel)] else { return nil }
        places[ticket]?.session = session
        return ticket
    }

    /// A client has sent a whole request.
    func sentRequest(_ ticket: Admission.Ticket) { admission.sentRequest(ticket) }

    /// How many bytes the large messages of all clients take.
    var reservedMemory: Int { budget.reserved }

    /// A client's large messages take `bytes` from now on; sends away the clients that take the most if that is too much.
    func reserve(_ bytes: Int, by ticket: Admission.Ticket) {
        guard let address = places[ticket]?.address else { return }
        for evicted in budget.reserve(bytes, by: ticket, from: address) { places[evicted]?.session?.freeMemory() }
    }

    private func left(_ channel: any Channel) {
        guard let ticket = tickets.removeValue(forKey: ObjectIdentifier(channel)) else { return }
        places[ticket] = nil
        budget.left(ticket)
        admission.left(ticket)
    }

    private func cutOff(_ place: Place) {
        if let session = place.session { session.cutOff() } else { place.channel.close(promise: nil) }
    }
}

extension ClientLimits {
    /// How often clients are looked after: often enough for the shortest of the times.
    fileprivate var interval: Duration {
        let shortest = min(requestTimeout, writeTimeout, idleTimeout ?? requestTimeout)
        return min(max(shortest / 8, .milliseconds(5)), .seconds(1))
    }
}

@available(*, unavailable)
extension AdmittedClients: Sendable {}

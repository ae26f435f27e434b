package import Logging
package import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SecureMux

/// A device on a TCP port that behaves as real ones do: it takes one connection, closes any further one at once, and
/// answers requests one after the other.
///
/// What was written to it and its counters outlive its connections and a ``stop()``.
package final class SimulatedDevice: Sendable {
    /// How a simulated device behaves.
    package struct Configuration: Sendable {
        /// What the device speaks.
        ///
        /// On any wire for Modbus it is a ``SunSpecInverter`` with a ``RegisterMap``. With other protocols each message comes
        /// back: as it is, or a request of ISO 8583 as its own answer. HTTP it does not speak.
        package var applicationProtocol = ApplicationProtocol.modbus
        /// How many connections it holds at a time; 0 means any number.
        package var connectionLimit = 1
        /// How long it works on each request.
        package var responseDelay: Duration = .zero
        /// How long a connection may be idle before the device closes it; nil means without limit.
        package var idleTimeout: Duration?
        /// How long after a connect it begins to answer; requests that come earlier wait.
        package var readyAfter: Duration = .zero
        /// Whether the first request of each connection is never answered.
        package var swallowsFirstRequest = false
        /// After how many answers the device closes each connection without notice; nil means never.
        package var closesAfter: Int?
        /// How long a connection that has ended still counts as one that the device holds.
        package var releaseDelay: Duration = .zero
        /// What else it does wrong.
        package var faults = FaultPlan.none

        package init() {}
    }

    /// What happened since the device was made.
    package struct Counters: Hashable, Sendable {
        /// Connections that the device took.
        package var accepted = 0
        /// Further connections that it closed at once.
        package var refused = 0
        /// Connections it has now.
        package var open = 0
        /// The most connections it had at once, the refused ones not counted.
        package var maximumOpen = 0
        /// Requests that arrived, answered or not.
        package var requestsReceived = 0
        /// Requests that were answered.
        package var requestsServed = 0
        /// Requests that were swallowed.
        package var requestsSwallowed = 0
        /// Requests that were carried out and, as broadcasts, not answered.
        package var broadcasts = 0
        /// How often something other than a request came.
        package var malformed = 0
        /// Writes that were carried out again, among the last eight at their address.
        package var writesRepeated = 0
        /// What was done wrong, and how often.
        package var faults: [Fault: Int] = [:]
    }

    private struct State {
        var counters = Counters()
        var server = ModbusServer()
        var writes = WriteHistory()
        var faults: FaultPlan
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
    }

    package let configuration: Configuration
    private let logger: Logger
    private let switchedOn = ContinuousClock.now
    private let state: NIOLockedValueBox<State>

    package init(_ configuration: Configuration = Configuration(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        state = NIOLockedValueBox(State(faults: configuration.faults))
    }

    /// What happened since the device was made.
    package var counters: Counters {
        state.withLockedValue(\.counters)
    }

    /// Begins to listen; a stopped device can be started again.
    ///
    /// - Parameters:
    ///   - host: The name or IP address to listen on; nil means all interfaces.
    ///   - port: The port; 0 lets the system choose one.
    /// - Returns: The port that the device listens on.
    /// - Throws: What the system says, such as `IOError` with `EADDRINUSE`.
    @discardableResult
    package func start(host: String? = "127.0.0.1", port: Int = 0) async throws -> Int {
        // One loop for all connections, so that what happens has one order.
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let listener = try await eventLoop.flatSubmit {
            self.bootstrap(on: eventLoop).bind(to: ListenAddress(checked: host, port: port))
        }.get()
        let replaced = state.withLockedValue { state in
            defer { state.listener = listener }
            return state.listener
        }
        try? await replaced?.close()
        return listener.localAddress?.port ?? port
    }

    private func bootstrap(on eventLoop: any EventLoop) -> ServerBootstrap {
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: messageRules.allowsHalfClosure)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DeviceConnectionHandler(of: self))
                }
            }
    }

    /// Closes all connections and stops listening, as a device that loses its power.
    package func stop() async {
        let listener = state.withLockedValue { state in
            defer { state.listener = nil }
            return state.listener
        }
        try? await listener?.close()
        await closeConnections()
    }

    /// Closes all connections and goes on listening.
    package func closeConnections() async {
        for connection in state.withLockedValue({ Array($0.connections.values) }) {
            try? await connection.close()
        }
    }
}

// What connections ask their device.
extension SimulatedDevice {
    var framing: any Framing { configuration.applicationProtocol.framing }

    var messageRules: any MessageRules { configuration.applicationProtocol.messageRules }

    /// Whether the device takes a connection that was just accepted.
    func admits(_ channel: any Channel) -> Bool {
        let (isAdmitted, open) = state.withLockedValue { state in
            let limit = configuration.connectionLimit
            guard limit == 0 || state.counters.open < limit else {
                state.counters.refused += 1
                return (false, state.counters.open)
            }
            state.connections[ObjectIdentifier(channel)] = channel
            state.counters.accepted += 1
            state.counters.open += 1
            state.counters.maximumOpen = max(state.counters.maximumOpen, state.counters.open)
            return (true, state.counters.open)
        }
        let metadata: Logger.Metadata = ["client": "\(channel.peerName)", "open": "\(open)"]
        if isAdmitted {
            logger.info("client connected", metadata: metadata)
        } else {
            logger.warning("closed a further connection: the device has as many as it takes", metadata: metadata)
        }
        return isAdmitted
    }

    /// Notes the end of a connection that was admitted.
    func ended(_ channel: any Channel, _ peer: String, because reason: String) {
        state.withLockedValue { $0.connections[ObjectIdentifier(channel)] = nil }
        guard configuration.releaseDelay > .zero else { return release(peer, because: reason) }
        channel.eventLoop.scheduleTask(in: TimeAmount(configuration.releaseDelay)) {
            self.release(peer, because: reason)
        }
    }

    private func release(_ peer: String, because reason: String) {
        let open = state.withLockedValue { state in
            state.counters.open -= 1
            return state.counters.open
        }
        logger.info("client gone", metadata: ["client": "\(peer)", "open": "\(open)", "reason": "\(reason)"])
    }

    /// What befalls a connection that was just admitted.
    func faultOfNextConnection() -> FaultRule? {
        state.withLockedValue { $0.faults.faultOfNextConnection() }
    }

    /// What befalls a request that just arrived.
    func faultOfNextRequest() -> FaultRule? {
        state.withLockedValue { $0.faults.faultOfNextRequest() }
    }

    /// Bytes without sense.
    func garbage() -> [UInt8] {
        state.withLockedValue { $0.faults.garbage() }
    }

    func count(_ fault: Fault) {
        state.withLockedValue { $0.counters.faults[fault, default: 0] += 1 }
    }

    func countReceived() {
        state.withLockedValue { $0.counters.requestsReceived += 1 }
    }

    func countSwallowed(from peer: String) {
        state.withLockedValue { $0.counters.requestsSwallowed += 1 }
        logger.info("first request swallowed", metadata: ["client": "\(peer)"])
    }

    func countMalformed(from peer: String, _ error: FramingError) {
        state.withLockedValue { $0.counters.malformed += 1 }
        logger.warning("the client sent \(error)", metadata: ["client": "\(peer)"])
    }

    /// Carries out a request and returns the message that answers it, if it is one that is answered.
    func serve(_ message: [UInt8]) -> [UInt8]? {
        let elapsed = switchedOn.duration(to: .now)
        let isBroadcast = !messageRules.request(message.span).expectsResponse
        return state.withLockedValue { state in
            let response = response(to: message, at: elapsed, &state.server)
            if messageRules is ModbusMessageRules, response[1] & 0x80 == 0 {
                state.writes.record(message)
                state.counters.writesRepeated = state.writes.repeated
            }
            if isBroadcast {
                state.counters.broadcasts += 1
                return nil
            }
            state.counters.requestsServed += 1
            return response
        }
    }

    private func response(to message: [UInt8], at elapsed: Duration, _ server: inout ModbusServer) -> [UInt8] {
        switch messageRules {
        case is ModbusMessageRules:
            return server.response(to: message, at: elapsed)
        case let rules as ISO8583MessageRules:
            var response = message
            ISO8583MessageType.makeResponse(&response, at: rules.messageOffset)
            return response
        default:
            return message
        }
    }
}

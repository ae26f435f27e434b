import Logging
import MultiplexerCore
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An address that clients connect to: who may, and what a client's pipeline is made of.
struct Listener {
    private var configuration: ListenerConfiguration
    private let applicationProtocol: ApplicationProtocol
    /// That of all its clients.
    private let wire: Wire
    private let tls: TLSContext?
    private let logger: Logger

    /// How much may wait to be written to a client before nothing more is read from it.
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 8 * 1024, high: 32 * 1024)

    /// How much the system may hold for a client beyond what is on its way; the rest waits here, where it is seen whether
    /// the client takes any of it.
    private static let unsentInKernel = 32 * 1024

    /// Reads the listener's TLS files.
    init(
        _ configuration: ListenerConfiguration,
        for deviceProtocol: ApplicationProtocol,
        logger: Logger
    ) throws(ServerError) {
        let spoken = configuration.applicationProtocol ?? deviceProtocol
        guard let translated = spoken.translated(to: deviceProtocol, unitMap: configuration.unitMap) else {
            throw ServerError("clients of \(spoken.name) cannot be given a device that speaks \(deviceProtocol.name)")
        }
        self.configuration = configuration
        applicationProtocol = translated
        wire = translated.wire
        self.logger = logger
        do {
            tls = try configuration.tls.map { try TLSContext(server: $0) }
        } catch {
            throw ServerError("\(error)")
        }
    }

    /// How many clients it takes.
    var clients: Int {
        get { configuration.limits.clients }
        set { configuration.limits.clients = newValue }
    }

    /// Starts to listen; clients go to `driver`, and use `resources` for TLS.
    func open(
        _ driver: NIOLoopBound<MultiplexerDriver>,
        _ resources: NIOLoopBound<TLSResources>
    ) async throws -> any Channel {
        let (limits, logger, eventLoop) = (configuration.limits, logger, driver.eventLoop)
        let clients = try await eventLoop.submit {
            let log = ClientLog(logger, limits: limits)
            return NIOLoopBound(AdmittedClients(limits, log: log, eventLoop: eventLoop), eventLoop: eventLoop)
        }.get()
        let channel: any Channel
        do {
            channel = try await bootstrap(driver, clients, resources).bind(to: configuration.address)
        } catch {
            throw ServerError(configuration.address.explanation(ofFailedBind: error))
        }
        for warning in tls?.warnings ?? [] { logger.warning("\(warning)") }
        announce(at: channel)
        return channel
    }

    private func bootstrap(
        _ driver: NIOLoopBound<MultiplexerDriver>,
        _ clients: NIOLoopBound<AdmittedClients>,
        _ resources: NIOLoopBound<TLSResources>
    ) -> ServerBootstrap {
        let listener = self
        return ServerBootstrap(group: driver.eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: clientsPerTurn)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        AcceptErrorHandler(clients.value.log),
                        AccessHandler(listener.configuration.allowList, clients.value),
                    ])
                }
            }
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.init(rawValue: TCP_NOTSENT_LOWAT)), value: Self.unsentInKernel)
            .childChannelOption(.writeBufferWaterMark, value: Self.writeBuffer)
            .childChannelOption(.recvAllocator, value: reading)
            .childChannelOption(
                .allowRemoteHalfClosure,
                value: wire.answersAfterEndOfInput
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        listener.handlers(for: channel, driver.value, clients.value, resources.value)
                    )
                }
            }
    }

    /// How many clients are accepted in a turn of the loop: what one needs for TLS takes a tenth of a millisecond to make, and
    /// others are served between.
    private var clientsPerTurn: UInt { tls == nil ? 4 : 1 }

    /// During a TLS handshake little is read at a time, whatever the client sends.
    private var reading: any RecvByteBufferAllocator {
        tls == nil ? requestReading : FixedSizeRecvByteBufferAllocator(capacity: 512)
    }

    /// Modbus requests are small; where messages may be large, reads grow further with what a client sends.
    private var requestReading: any RecvByteBufferAllocator {
        applicationProtocol.messages == .modbus
            ? GrowingReads() : AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 65_536)
    }

    private func handlers(
        for channel: any Channel,
        _ driver: MultiplexerDriver,
        _ clients: AdmittedClients,
        _ resources: TLSResources
    ) -> [any ChannelHandler] {
        let answersAfterEnd = tls == nil && wire.answersAfterEndOfInput
        let socket = ClientSocket(unaskedLimit: answersAfterEnd ? UnaskedInput.sentAhead : 0)
        let http = HTTPPipeline.client(speaking: applicationProtocol)
        let isAtSocket = tls == nil && http.isEmpty
        let client = ClientHandler(
            wire,
            awaitsHandshake: tls != nil,
            socket: socket,
            isAtSocket: isAtSocket,
            assembly: http.lazy.compactMap { $0 as? any RequestAssembly }.first,
            clients: clients,
            driver: driver,
            logger: ClientLogger(logger, channel.remoteAddress)
        )
        let secure = tls.map {
            TLSHandler(
                context: $0,
                scratch: resources.scratch,
                pace: resources.pace,
                // For Modbus it stays as it is.
                reading: applicationProtocol.messages == .modbus ? nil : requestReading
            )
        }
        if isAtSocket { return [client] }
        return [ClientSocketHandler(socket)] + (secure.map { [$0] } ?? []) + http + [client]
    }

    private func announce(at channel: any Channel) {
        let address = ListenAddress(
            host: configuration.address.host,
            port: channel.localAddress?.port ?? configuration.address.port
        )
        logger.notice(
            "listening",
            metadata: [
                "address": "\(address)", "clients": "\(configuration.summary)",
                "protocol": "\(applicationProtocol.name)",
            ]
        )
        if configuration.isOpenToAnyone {
            logger.warning(
                "anyone who reaches this address can read and write the device",
                metadata: [
                    "address": "\(address)",
                    "remedy":
                        "limit it with --allow, ask for client certificates with --client-ca, or listen on 127.0.0.1",
                ]
            )
        }
    }
}

extension ListenerConfiguration {
    /// Whether nothing but reaching the address is asked of a client.
    var isOpenToAnyone: Bool {
        !address.isLoopback && allowList.allowsEveryone && tls?.clientCertificates != .required
    }

    fileprivate var summary: String {
        let access =
            switch tls?.clientCertificates {
            case nil: "plain TCP"
            case .off: "TLS without client certificates"
            case .optional: "TLS, client certificates optional"
            case .required: "TLS with client certificates"
            }
        return allowList.allowsEveryone ? access : "\(access), from the allow-list only"
    }
}

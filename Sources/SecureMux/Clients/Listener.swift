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
///
/// To be used on the device's loop alone.
final class Listener {
    private(set) var configuration: ListenerConfiguration
    private var tls: TLSContext?
    private let applicationProtocol: ApplicationProtocol
    /// That of all its clients.
    private let wire: Wire
    private let driver: MultiplexerDriver
    private let resources: TLSResources
    private let logger: Logger
    private let clients: AdmittedClients
    private let log: ClientLog
    private var channel: (any Channel)?

    /// How much may wait to be written to a client before nothing more is read from it.
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 8 * 1024, high: 32 * 1024)

    /// How much the system may hold for a client beyond what is on its way; the rest waits here, where it is seen whether
    /// the client takes any of it.
    private static let unsentInKernel = 32 * 1024

    /// A listener whose clients go to `driver`, and use `resources` for TLS.
    init(_ prepared: PreparedListener, driver: MultiplexerDriver, resources: TLSResources, logger: Logger) {
        configuration = prepared.configuration
        tls = prepared.tls
        applicationProtocol = prepared.applicationProtocol
        wire = prepared.applicationProtocol.wire
        self.driver = driver
        self.resources = resources
        self.logger = logger
        log = ClientLog(logger, limits: prepared.limits)
        clients = AdmittedClients(
            prepared.limits,
            allowList: prepared.configuration.rules.allowList,
            tls: prepared.tls,
            reports: ListenerReports(to: [log]),
            eventLoop: driver.eventLoop
        )
    }

    /// Takes a socket over that listens.
    ///
    /// Nobody is accepted before ``accept()``: whoever connects waits in the system's queue.
    func open(on socket: ListeningSocket) -> EventLoopFuture<Void> {
        guard let descriptor = socket.take() else {
            return driver.eventLoop.makeFailedFuture(ServerError("the socket of \(configuration.address) is in use"))
        }
        let bound = NIOLoopBound(self, eventLoop: driver.eventLoop)
        return bootstrap(bound).withBoundSocket(descriptor).map { channel in
            bound.value.channel = channel
            // The channel has made it shorter.
            ListeningSocket.listen(on: descriptor)
        }
    }

    /// Lets clients come.
    func accept() {
        guard let channel else { return }
        try? channel.syncOptions?.setOption(.autoRead, value: true)
        announce(at: address(of: channel))
    }

    /// Accepts nobody any more; its clients stay.
    func close() -> EventLoopFuture<Void> {
        guard let channel else { return driver.eventLoop.makeSucceededVoidFuture() }
        return channel.close()
    }

    /// Lets its clients go, each between two requests.
    func dismissClients() { clients.dismiss() }

    /// Its socket once more, for another listener: what waits to be accepted is accepted by whoever is the first to do so.
    func duplicateSocket() throws -> ListeningSocket { try withSocket { try ListeningSocket(duplicating: $0) } }

    /// Has another socket of ours listen at an address that overlaps this one's, or not any more.
    func sharePort(_ isShared: Bool) throws { try withSocket { ListeningSocket.sharePort($0, isShared) } }

    private func withSocket<Result>(_ body: (CInt) throws -> Result) throws -> Result {
        guard let channel, channel.isActive,
            let result = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self, body)
        else { throw ChannelError.ioOnClosedChannel }
        return result
    }

    /// Lets other clients come from now on; those that may not be here any more go between two requests.
    ///
    /// Whether the certificates of those who are here are still trusted is for the caller to find out, beside the loop.
    func replaceRules(by prepared: PreparedListener) {
        configuration.rules = prepared.configuration.rules
        tls = prepared.tls
        replaceLimits(by: prepared)
        warnOfFiles()
        logger.notice(
            "the rules of a listener were replaced",
            metadata: [
                "address": "\(channel.map(address) ?? configuration.address)", "clients": "\(configuration.summary)",
            ]
        )
    }

    /// Lets more or fewer clients come from now on, as there are descriptors for.
    func replaceLimits(by prepared: PreparedListener) {
        log.limits = prepared.limits
        clients.replace(prepared.limits, allowList: configuration.rules.allowList, tls: tls)
    }

    /// Its clients that speak TLS, and what they showed.
    func overTLS() -> (sessions: [ClientSession], peers: [PeerChain]) {
        let all = clients.overTLS
        return (all.map(\.session), all.map(\.peer))
    }

    private func bootstrap(_ listener: NIOLoopBound<Listener>) -> ServerBootstrap {
        ServerBootstrap(group: driver.eventLoop)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelOption(.maxMessagesPerRead, value: acceptsPerTick)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let clients = listener.value.clients
                    try channel.pipeline.syncOperations.addHandlers([
                        AcceptErrorHandler(clients.reports), AccessHandler(clients),
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
                // A client that leaves during its handshake may have said why, which is looked at outside the loop.
                value: tls != nil || wire.allowsHalfClosure
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(listener.value.handlers(for: channel))
                }
            }
    }

    /// How many clients are accepted in a tick of the loop: what one needs for TLS takes a tenth of a millisecond to make, and
    /// others are served between.
    private var acceptsPerTick: UInt { tls == nil ? 4 : 1 }

    /// During a TLS handshake little is read at a time, whatever the client sends.
    private var reading: any RecvByteBufferAllocator {
        tls == nil ? requestReading : FixedSizeRecvByteBufferAllocator(capacity: 512)
    }

    /// Modbus requests are small; where messages may be large, reads grow further with what a client sends.
    private var requestReading: any RecvByteBufferAllocator {
        applicationProtocol.messages == .modbus
            ? GrowingReads() : AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 65_536)
    }

    private func handlers(for channel: any Channel) -> [any ChannelHandler] {
        let allowsHalfClosure = tls == nil && wire.allowsHalfClosure
        let socket = ClientSocket(
            readAheadLimit: allowsHalfClosure ? ReadAhead.sentAhead : tls == nil ? 0 : ReadAhead.lastWords
        )
        let http = HTTPPipeline.client(speaking: applicationProtocol)
        let tlsHandler = tlsHandler
        let session = ClientSession(
            wire,
            tls: tlsHandler,
            socket: socket,
            assembly: http.lazy.compactMap { $0 as? any RequestAssembly }.first,
            clients: clients,
            driver: driver,
            logger: ClientLogger(logger, channel.remoteAddress)
        )
        if tls == nil, http.isEmpty { return [PlainClientHandler(session, at: socket)] }
        let client = ClientHandler(session, awaitsHandshake: tls != nil, output: driver.output)
        return [ClientSocketHandler(socket)] + (tlsHandler.map { [$0] } ?? []) + http + [client]
    }

    private var tlsHandler: TLSHandler? {
        guard let tls else { return nil }
        return TLSHandler(
            context: tls,
            scratch: resources.scratch,
            handshakes: resources.handshakes,
            // For Modbus it stays as it is.
            reading: applicationProtocol.messages == .modbus ? nil : requestReading
        )
    }

    private func address(of channel: any Channel) -> ListenAddress {
        ListenAddress(
            checked: configuration.address.host,
            port: channel.localAddress?.port ?? configuration.address.port
        )
    }

    /// Says what of its files is odd though it works.
    private func warnOfFiles() {
        for warning in tls?.warnings ?? [] { logger.warn(warning) }
    }

    private func announce(at address: ListenAddress) {
        warnOfFiles()
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
                        .sentence(
                            "limit it with \(.allow), ask for client certificates with \(.clientCA), or listen on "
                                + "127.0.0.1"
                        ),
                ]
            )
        }
    }
}

extension ListenerConfiguration {
    /// Whether nothing but reaching the address is asked of a client.
    package var isOpenToAnyone: Bool {
        !address.isLoopback && rules.allowList.allowsEveryone && rules.tls?.clientCertificates != .required
    }

    fileprivate var summary: String {
        let access =
            switch rules.tls?.clientCertificates {
            case nil: "plain TCP"
            case .off: "TLS without client certificates"
            case .optional: "TLS, client certificates optional"
            case .required: "TLS with client certificates"
            }
        return rules.allowList.allowsEveryone ? access : "\(access), from the allow-list only"
    }
}

@available(*, unavailable)
extension Listener: Sendable {}

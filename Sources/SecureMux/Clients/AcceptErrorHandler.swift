import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stops accepting for a second when the system lacks what a further connection needs, instead of trying without end.
///
/// NIO's `AcceptBackoffHandler` holds back `read`, but a read that ended in an error is still pending, and so is what caused
/// it: the loop would spin. Switching `autoRead` off is what makes the channel stop.
final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let reports: ListenerReports
    private var resumption: Scheduled<Void>?

    private static let pause = TimeAmount.seconds(1)

    init(_ reports: ListenerReports) {
        self.reports = reports
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (error as? IOError)?.errnoCode {
        case EMFILE?, ENFILE?, ENOBUFS?, ENOMEM?:
            reports.tell(.acceptPaused(error))
            pause(context)
        default:
            // Of most errors only one client has died. After others the channel closes itself.
            let channel = context.channel
            context.eventLoop.assumeIsolated().execute {
                if !channel.isActive { self.reports.tell(.acceptFailed(error)) }
            }
        }
        context.fireErrorCaught(error)
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard resumption == nil else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        resumption = context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.resumption = nil
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        resumption?.cancel()
        resumption = nil
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension AcceptErrorHandler: Sendable {}

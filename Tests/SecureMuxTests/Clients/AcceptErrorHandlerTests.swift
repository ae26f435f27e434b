import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import SecureMux

@Suite struct AcceptErrorHandlerTests {
    private let channel = EmbeddedChannel()
    private let log = RecordedLog()

    init() throws {
        try channel.pipeline.syncOperations.addHandler(
            AcceptErrorHandler(ListenerReports(to: [ClientLog(log.logger, limits: ClientLimits())]))
        )
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `a shortage is told, with a remedy, and of many only some`(code: CInt) throws {
        for _ in 0..<20 { channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept")) }
        let lines = log.lines.filter { $0.hasPrefix("error no client can be accepted") }
        #expect(lines.count == 5)
        #expect(lines.allSatisfy { $0.contains(" reason=\(String(cString: strerror(code))) remedy=") })
        _ = try? channel.finish()
    }

    @Test func `a client that dies before it is accepted is worth no line`() throws {
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        channel.embeddedEventLoop.run()
        #expect(log.lines.isEmpty)
        _ = try? channel.finish()
    }

    @Test func `an error that closes the listener is told`() throws {
        channel.pipeline.fireErrorCaught(IOError(errnoCode: EPERM, reason: "accept"))
        _ = try? channel.finish()
        channel.embeddedEventLoop.run()
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("error no client is accepted any more reason=") == true)
    }
}

import Logging
import NIOCore
import Testing

@testable import SecureMux

@Suite struct ClientLoggerTests {
    private let log = RecordedLog()
    private let address: SocketAddress

    init() throws {
        address = try SocketAddress(ipAddress: "::ffff:192.0.2.7", port: 51_234)
    }

    @Test func `each line says who the client is and what is known of it`() {
        var logger = ClientLogger(log.logger, address)
        logger[metadataKey: "role"] = "reader"
        logger.logger.warning("client refused", metadata: ["reason": "none"])
        logger.info("client left")
        #expect(
            log.lines == [
                "warning client refused client=192.0.2.7:51234 reason=none role=reader",
                "info client left client=192.0.2.7:51234 role=reader",
            ]
        )
    }

    @Test func `a client without an address is unknown`() {
        #expect(ClientLogger(log.logger, nil).name == "unknown")
    }

    @Test func `what nobody asked for is not written`() {
        var quiet = log.logger
        quiet.logLevel = .notice
        ClientLogger(quiet, address).info("client connected")
        #expect(log.lines.isEmpty)
    }
}

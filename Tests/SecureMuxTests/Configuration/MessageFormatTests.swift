import MultiplexerCore
import Testing

@testable import SecureMux

@Suite struct MessageFormatTests {
    @Test(arguments: ApplicationProtocol.all.map(\.name))
    func `without settings a protocol stays as it is`(name: String) throws {
        let known = try #require(ApplicationProtocol.named(name))
        let same = try MessageFormat().applied(to: known)
        #expect(same.translated(to: known) != nil)
    }

    @Test(
        arguments: [
            (
                MessageFormat(delimiter: [0x0A]), .modbus,
                "'delimiter' is of no use to modbus: leave it out, or choose a protocol that has it with 'protocol' (delimited)"
            ),
            (
                MessageFormat(lengthIncludesHeader: true), .echo,
                "'length-includes-header' is of no use to echo: leave it out, or choose a protocol that has it with "
                    + "'protocol' (iso8583, mpu, length-prefixed)"
            ),
            (
                MessageFormat(maxMessage: 0), .http,
                "http cannot be spoken like this: a body may be limited to 1 byte to 64M, not to 0 bytes"
            ),
        ] as [(MessageFormat, ApplicationProtocol, String)]
    )
    func `a format that a protocol cannot have is refused`(
        format: MessageFormat,
        known: ApplicationProtocol,
        reason: String
    ) {
        let error = #expect(throws: ConfigurationError.self) { try format.applied(to: known) }
        #expect(error?.description == reason)
    }
}

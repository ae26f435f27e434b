import MultiplexerCore
import SecureMux
import ServerSettings

@testable import tcp_multiplexer

/// What the options of a command line mean, for tests to look at.
extension Serve {

    var meaning: DeviceConfiguration { get throws { try writtenDevice.configuration(readsSecrets: false) } }

    var multiplexer: Multiplexer.Configuration { get throws { try meaning.multiplexer } }

    var deviceProtocol: ApplicationProtocol { get throws { try meaning.applicationProtocol } }

    var clientProtocol: ApplicationProtocol {
        get throws { try meaning.listeners[0].applicationProtocol ?? meaning.applicationProtocol }
    }
}

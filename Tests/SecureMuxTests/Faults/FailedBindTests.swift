import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import SecureMux

@Suite struct FailedBindTests {
    @Test(
        arguments: [
            (EADDRINUSE, "port 502 is in use; stop the other program or choose another port"),
            (EACCES, "port 502 is reserved for root; choose one above 1023 or grant CAP_NET_BIND_SERVICE"),
            (EADDRNOTAVAIL, "this machine has no such address"),
            (EINVAL, "Invalid argument"),
        ] as [(CInt, String)]
    )
    func `what the system says is put in words`(code: CInt, words: String) {
        let address = ListenAddress(checked: "192.0.2.1", port: 502)
        #expect(
            address.explanation(ofFailedBind: IOError(errnoCode: code, reason: "bind"))
                == "cannot listen on 192.0.2.1:502: \(words)"
        )
    }

    @Test func `a name that leads nowhere is told`() async throws {
        // No label is longer than 63 bytes (RFC 1035, section 2.3.4): no name server is asked.
        let name = String(repeating: "a", count: 64) + ".invalid"
        let address = ListenAddress(checked: name, port: 0)
        let error = try await #require(throws: (any Error).self) {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            _ = try await loop.flatSubmit { ServerBootstrap(group: loop).bind(to: address) }.get()
        }
        let explanation = address.explanation(ofFailedBind: error)
        #expect(explanation.hasPrefix("cannot listen on \(name):0: the name '\(name)' cannot be looked up ("))
        #expect(explanation.hasSuffix("); give an address of this machine"))
    }
}

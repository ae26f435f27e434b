import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

@Suite struct ControlPathTests {
    @Test(
        arguments: [
            (nil, [:], nil),
            ("/c", [:], "/c"),
            ("/c", ["RUNTIME_DIRECTORY": "/run/a", "XDG_RUNTIME_DIR": "/run/user/1"], "/c"),
            (nil, ["RUNTIME_DIRECTORY": "/run/a", "XDG_RUNTIME_DIR": "/run/user/1"], "/run/a/control.sock"),
            (nil, ["RUNTIME_DIRECTORY": "/run/a:/run/b"], "/run/a/control.sock"),
            (nil, ["RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": "/run/user/1"], "/run/user/1/tcp-multiplexer.sock"),
            (nil, ["XDG_RUNTIME_DIR": ""], nil),
        ] as [(String?, [String: String], String?)]
    )
    func `the socket is where it was written, or else where the environment has room for it`(
        written: String?,
        environment: [String: String],
        expected: String?
    ) {
        var settings = WrittenSettings()
        settings[.control] = written
        let path = ControlPath(settings, environment: environment)
        #expect(path?.path == expected)
        #expect(path == nil || path?.isWritten == (written != nil))
    }
}

import SecureMux
import ServerSettings

/// Where the socket is through which a server is controlled.
struct ControlPath: Hashable, Sendable {
    let path: String
    /// Whether somebody chose it; else it is where such sockets usually are, which another server may have taken.
    let isWritten: Bool

    /// Where settings say, or where the environment has room for sockets; nil if neither does.
    init?(_ settings: WrittenSettings, environment: [String: String]) {
        if let written = settings[.control] {
            (path, isWritten) = (written, true)
        } else if let usual = Self.usual(environment) {
            (path, isWritten) = (usual, false)
        } else {
            return nil
        }
    }

    private static func usual(_ environment: [String: String]) -> String? {
        // Systemd lists several, if the service has several.
        if let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first {
            return "\(folder)/control.sock"
        }
        guard let folder = environment["XDG_RUNTIME_DIR"], !folder.isEmpty else { return nil }
        return "\(folder)/tcp-multiplexer.sock"
    }
}

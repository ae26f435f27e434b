import SecureMux
import ServerSettings

/// What a server does when it is told to through its control socket.
struct ControlCommands: Sendable {
    private let commands: [String: @Sendable (ControlRequest) async -> ControlResponse]

    /// The commands of a server; a new one is a line here.
    init(_ server: Server, reloads: Reloads) {
        commands = [
            "reload": { _ in
                switch await reloads.reload(because: .control) {
                case .done(let changes): .done(changes)
                case .failed(let problems): .failed(problems)
                }
            },
            "release": { await Self.release($0, server) },
            "resume": { await Self.resume($0, server) },
        ]
    }

    /// Does what is asked for.
    func answer(_ request: ControlRequest) async -> ControlResponse {
        guard let command = commands[request.command] else {
            let known = commands.keys.sorted().joined(separator: ", ")
            return .failed(["this server has no command '\(request.command)', only: \(known)"])
        }
        return await command(request)
    }

    private static func release(_ request: ControlRequest, _ server: Server) async -> ControlResponse {
        let device = request.arguments?["device"] ?? ""
        do {
            let duration = try request.arguments?["for"].map { text throws(ConfigurationError) in
                try Duration(parsing: text)
            }
            try await server.release(device, for: duration)
            let end = duration.map { "for \($0.shortText)" } ?? "until it is resumed"
            return .done("\(device) is left to others \(end); requests fail meanwhile")
        } catch {
            return failed(error, server)
        }
    }

    private static func resume(_ request: ControlRequest, _ server: Server) async -> ControlResponse {
        let device = request.arguments?["device"] ?? ""
        do {
            try await server.resume(device)
            return .done("\(device) is this server's")
        } catch {
            return failed(error, server)
        }
    }

    private static func failed(_ error: any Error, _ server: Server) -> ControlResponse {
        .failed(["\(error); there are: \(server.deviceNames.joined(separator: ", "))"])
    }
}

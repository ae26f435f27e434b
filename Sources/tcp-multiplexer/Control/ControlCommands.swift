/// What a server does when it is told to through its control socket.
struct ControlCommands: Sendable {
    private let commands: [String: @Sendable (ControlRequest) async -> ControlResponse]

    /// The commands of a server; a new one is a line here.
    init(reloads: Reloads) {
        commands = [
            "reload": { _ in
                switch await reloads.reload(because: .control) {
                case .done(let changes): .done(changes)
                case .failed(let problems): .failed(problems)
                }
            }
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
}

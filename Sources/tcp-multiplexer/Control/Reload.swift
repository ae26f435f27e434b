import ArgumentParser
import Foundation
import SecureMux
import ServerSettings

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a running server read its configuration and TLS files again.",
        discussion: """
            Waits until that is done, says what has changed, and exits with 0; or with 1 and all that is wrong, and then \
            nothing has changed.
            """
    )

    @OptionGroup
    var server: ControlOptions

    func run() throws { try server.order(ControlRequest(command: "reload")) }
}

/// Which server is to do something.
struct ControlOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's control socket. (default: \(ArgumentHelp.usualControl))",
            valueName: "file"
        ),
        transform: Setting.control.checked
    )
    var control: String?

    @Option(
        help: ArgumentHelp("The server's configuration file, which may say where its socket is.", valueName: "file")
    )
    var config: String?

    func validate() throws {
        guard control == nil || config == nil else {
            throw ValidationError("--control and --config: one of them says which server is meant; leave the other out")
        }
    }

    /// Has the server do something, waits until it is done, and says what came of it.
    func order(_ request: ControlRequest) throws {
        let response = try ask(request)
        guard response.isDone else {
            for line in response.lines { StandardError.say(line.escapingControls) }
            throw ExitCode.failure
        }
        for line in response.lines { print(line.escapingControls) }
    }

    private func ask(_ request: ControlRequest) throws -> ControlResponse {
        let environment = ProcessInfo.processInfo.environment
        var settings = config.map { ConfigurationFile.process(of: $0, environment: environment) } ?? WrittenSettings()
        if let control { settings[.control] = control }
        guard let path = ControlPath(settings, environment: environment)?.path else {
            StandardError.say(
                """
                where the server's control socket is cannot be known: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR says \
                so. Start the server with --control, or write 'control:' into its file, and name the same here
                """
            )
            throw ExitCode.failure
        }
        do throws(ControlClientError) {
            return try ControlClient(path: path).ask(request, within: .seconds(120))
        } catch {
            StandardError.say("\(error)".escapingControls)
            throw ExitCode.failure
        }
    }
}

extension ArgumentHelp {
    /// Where the socket is that nobody has named.
    fileprivate static var usualControl: String {
        SettingDefinition.of(.control)?.standard.namingOptions ?? ""
    }
}

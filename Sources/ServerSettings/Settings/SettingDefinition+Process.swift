import SecureMux

/// What holds for the whole process.
extension SettingDefinition {
    package static let processes = [
        SettingDefinition(
            .logLevel,
            of: .process,
            key: "log.level",
            .logLevel,
            """
            What is worth a line: error, warning, notice, info (clients that come and go, every attempt to reach the device) \
            or debug (each request too).
            """,
            default: .value("notice"),
            reload: .inPlace
        ),
        SettingDefinition(
            .logFile,
            of: .process,
            key: "log.file",
            .file,
            """
            Where lines are appended. SIGUSR1 opens the file anew, for those who move it away when it has grown.
            """,
            default: .words("standard error"),
            reload: .inPlace
        ),
        SettingDefinition(
            .watch,
            of: .process,
            .truth,
            """
            Reload when a file changes that the configuration is made of, certificates and keys included. Their content is \
            compared every two seconds, so that it does not matter how they are replaced.
            """,
            default: .value("false"),
            reload: .inPlace
        ),
        SettingDefinition(
            .control,
            of: .process,
            .file,
            """
            The socket through which 'tcp-multiplexer reload', 'release' and 'resume' talk to the server. Only its user and \
            root may.
            """,
            default: .words(
                "control.sock in the service's runtime directory, else tcp-multiplexer.sock in that of the user, else none"
            ),
            reload: .start
        ),
    ]
}

import Foundation

/// Where the programs are that the tests run.
enum Tools {
    /// The binary under test: it is built beside the tests, whatever the build's folder and settings are.
    static func multiplexer() throws -> URL {
        guard let found = builtMultiplexer else {
            throw Disappointment(description: "no tcp-multiplexer beside the tests: run swift build --build-tests")
        }
        return found
    }

    /// What TCP_MULTIPLEXER names, such as the release binary; else what was built with the tests.
    private static let builtMultiplexer: URL? = {
        if let named = ProcessInfo.processInfo.environment["TCP_MULTIPLEXER"], !named.isEmpty {
            let program = URL(fileURLWithPath: named)
            return isProgram(program) ? program : nil
        }
        #if canImport(Darwin)
            // There the tests are a bundle that another program loads.
            let built = Bundle.allBundles.map(\.bundleURL)
        #else
            let built = [
                URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath(),
                URL(fileURLWithPath: CommandLine.arguments[0]),
            ]
        #endif
        return (built + [repository.appendingPathComponent(".build/debug/tests")]).lazy
            .map { $0.deletingLastPathComponent().appendingPathComponent("tcp-multiplexer") }
            .first(where: isProgram)
    }()

    /// One of the system's programs.
    static func system(_ name: String) throws -> URL {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let program = URL(fileURLWithPath: String(folder)).appendingPathComponent(name)
            if isProgram(program) { return program }
        }
        throw missing(name)
    }

    /// The Python that has pymodbus.
    static func python() throws -> URL {
        let python = repository.appendingPathComponent(".build-tools/venv/bin/python")
        guard isProgram(python) else { throw missing(".build-tools/venv") }
        return python
    }

    /// One of the programs in `Clients`.
    static func client(_ name: String) -> String {
        URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Clients/\(name)").path
    }

    /// One of the programs in `Devices`.
    static func device(_ name: String) -> String {
        URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Devices/\(name)").path
    }

    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func isProgram(_ file: URL) -> Bool {
        FileManager.default.isExecutableFile(atPath: file.path)
    }

    private static func missing(_ name: String) -> Disappointment {
        Disappointment(description: "\(name) is missing: run scripts/setup test")
    }
}

extension RunningProgram {
    /// One of the system's programs.
    static func system(_ name: String, _ arguments: String..., hasInput: Bool = false) throws -> RunningProgram {
        try RunningProgram(Tools.system(name), arguments, hasInput: hasInput)
    }

    /// One of the programs in `Clients`.
    static func client(_ name: String, _ arguments: [String], hasInput: Bool = false) throws -> RunningProgram {
        try RunningProgram(Tools.python(), [Tools.client(name)] + arguments, hasInput: hasInput)
    }

    /// One of the programs in `Devices`.
    static func device(_ name: String, _ arguments: [String], hasInput: Bool = false) throws -> RunningProgram {
        try RunningProgram(Tools.python(), [Tools.device(name)] + arguments, hasInput: hasInput)
    }

    /// A line for the system's shell.
    static func shell(_ line: String) throws -> RunningProgram {
        try RunningProgram(Tools.system("sh"), ["-c", line])
    }

    /// The binary under test, where no folder for sockets is, unless `environment` says so.
    static func multiplexer(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram {
        try RunningProgram(
            Tools.multiplexer(),
            arguments,
            environment: [
                "RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": "", "NOTIFY_SOCKET": "",
                // For a build with the address sanitizer: a program that ends by `exit` leaves all it has behind, and
                // what is kept in quarantine would look like memory that grows.
                "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64",
            ].merging(environment) { $1 }
        )
    }
}

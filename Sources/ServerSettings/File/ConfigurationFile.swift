package import SecureMux

/// A configuration as files have it: what they say, each part in its place.
package struct ConfigurationFile: Sendable {
    /// What was written.
    package let written: WrittenServer
    /// What it means.
    package let configuration: ServerConfiguration
    /// The files that it was read from, the first one first.
    package let files: [String]
    /// The files that it is made of: its own, and those that settings name.
    package let sources: SourceFiles
    private let reader: FileReader

    /// Reads a file and those that it includes.
    ///
    /// - Parameters:
    ///   - file: Where it is.
    ///   - environment: The variables that the file may use.
    /// - Throws: ``FileProblems`` with all that is wrong.
    package init(_ file: String, environment: [String: String]) throws(FileProblems) {
        try self.init(FileReader(file, holding: nil, environment: environment), readsSecrets: true)
    }

    /// Reads a text as if it were a file; no other file is read.
    ///
    /// - Parameters:
    ///   - text: What the file holds.
    ///   - file: What errors call it.
    ///   - environment: The variables that it may use.
    /// - Throws: ``FileProblems`` with all that is wrong.
    package init(text: String, of file: String, environment: [String: String]) throws(FileProblems) {
        try self.init(FileReader(file, holding: text, environment: environment), readsSecrets: false)
    }

    private init(_ reader: FileReader, readsSecrets: Bool) throws(FileProblems) {
        var problems = reader.problems
        let devices = Self.devices(of: reader)
        written = WrittenServer(process: reader.process.settings, devices: devices)
        files = reader.files
        sources = SourceFiles(files: written.namedFiles.union(files), patterns: reader.patterns)
        var configurations: [(number: Int, configuration: DeviceConfiguration)] = []
        for (number, device) in devices.enumerated() {
            var isRight = true
            let configuration = device.configuration(readsSecrets: readsSecrets) { listener, error in
                isRight = false
                problems.append(reader.problem(error, device: number, listener: listener))
            }
            if isRight, let configuration { configurations.append((number, configuration)) }
        }
        for problem in ServerConfiguration.problems(with: configurations.map(\.configuration)) {
            problems.append(
                reader.problem(
                    problem.error,
                    device: problem.device.map { configurations[$0].number },
                    listener: problem.listener
                )
            )
        }
        guard problems.isEmpty else {
            throw FileProblems(all: Self.sorted(problems, files: reader.files), sources: sources)
        }
        do {
            configuration = try ServerConfiguration(devices: configurations.map(\.configuration))
        } catch {
            throw FileProblems(all: [reader.problem(error, device: nil, listener: nil)], sources: sources)
        }
        self.reader = reader
    }

    /// Where that stands of which an error speaks.
    ///
    /// - Parameters:
    ///   - error: What is said.
    ///   - device: Which of the devices it is about.
    ///   - listener: Which of the device's listeners; nil for the device.
    /// - Returns: The place, and the keys that lead there.
    package func place(of error: ConfigurationError, device: Int, listener: Int?) -> FileProblem {
        reader.problem(error, device: device, listener: listener)
    }

    /// What a file says of the process, as far as it can be read: to be asked of one that may be wrong elsewhere.
    package static func process(of file: String, environment: [String: String]) -> WrittenSettings {
        FileReader(file, holding: nil, environment: environment).process.settings
    }

    /// What defaults leave to each device and listener, and what those say themselves.
    private static func devices(of reader: FileReader) -> [WrittenDevice] {
        reader.devices.map { device in
            WrittenDevice(
                name: device.name,
                settings: device.part.settings.over(reader.deviceDefaults.settings),
                listeners: device.listeners.map { $0.settings.over(reader.listenerDefaults.settings) }
            )
        }
    }

    /// In the order in which a reader comes to them; each once, though a default may be wrong for many.
    private static func sorted(_ problems: [FileProblem], files: [String]) -> [FileProblem] {
        let order = Dictionary(files.enumerated().map { ($1, $0) }) { first, _ in first }
        func place(_ problem: FileProblem) -> (Int, Int, Int) {
            let position = problem.position
            return (order[position.file] ?? 0, position.line, position.column)
        }
        var seen: Set<FileProblem> = []
        return problems.filter { seen.insert($0).inserted }.sorted { place($0) < place($1) }
    }
}

extension FileReader {
    /// What an error says of a device or one of its listeners, in its place.
    fileprivate func problem(_ error: ConfigurationError, device: Int?, listener: Int?) -> FileProblem {
        guard let device else { return process.problem(error) }
        let part = devices[device].part
        guard let listener, devices[device].listeners.indices.contains(listener) else {
            return part.problem(error, or: [deviceDefaults])
        }
        return devices[device].listeners[listener].problem(error, or: [listenerDefaults, part, deviceDefaults])
    }
}

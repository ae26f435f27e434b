import SecureMux
import ServerSettings

/// Where a server has its configuration from, which is read again when it is to be reloaded.
enum ConfigurationSource: Sendable {
    /// The options that it was started with.
    case options(WrittenServer)
    /// A file, and those that it includes.
    case file(String, environment: [String: String])

    /// A configuration that was read.
    struct Loaded: Sendable {
        let written: WrittenServer
        let configuration: ServerConfiguration
        /// The files that it is made of.
        let sources: SourceFiles
        /// Nil where options said it.
        var file: ConfigurationFile?
    }

    /// Reads it.
    ///
    /// - Throws: ``ConfigurationError`` or ``FileProblems``.
    func load() throws -> Loaded {
        switch self {
        case .options(let written):
            return Loaded(
                written: written,
                configuration: try written.configuration(readsSecrets: true),
                sources: SourceFiles(files: written.namedFiles)
            )
        case .file(let file, let environment):
            let file = try ConfigurationFile(file, environment: environment)
            return Loaded(written: file.written, configuration: file.configuration, sources: file.sources, file: file)
        }
    }

    /// The files that made it what came of reading it.
    func sources(of result: Result<Loaded, any Error>) -> SourceFiles {
        switch (self, result) {
        case (_, .success(let loaded)): loaded.sources
        case (.options(let written), .failure): SourceFiles(files: written.namedFiles)
        case (.file(let file, _), .failure(let error)):
            (error as? FileProblems)?.sources ?? SourceFiles(files: [file])
        }
    }

    /// How whoever wrote it knows settings.
    var names: SettingNames {
        switch self {
        case .options: .options
        case .file: .keys
        }
    }
}

/// The files that a configuration is made of: when one of them changes, it may want to be read again.
package struct SourceFiles: Hashable, Sendable {
    /// Its own files, and those that its settings name.
    package private(set) var files: Set<String>
    /// What stands for further files, of which there may be others at any time.
    private var patterns: Set<String>

    /// Files of these names, and what patterns stand for.
    package init(files: Set<String> = [], patterns: Set<String> = []) {
        (self.files, self.patterns) = (files, patterns)
    }

    /// All that there are now, and those that should be there.
    package var all: Set<String> {
        patterns.reduce(into: files) { $0.formUnion(FilePattern($1, relativeTo: "").files) }
    }

    /// These and others.
    package func union(_ other: SourceFiles) -> SourceFiles {
        SourceFiles(files: files.union(other.files), patterns: patterns.union(other.patterns))
    }
}

extension WrittenServer {
    /// The files that settings of its devices and listeners name: certificates, keys, passphrases.
    package var namedFiles: Set<String> {
        devices.reduce(into: []) { files, device in
            for part in [device.settings] + device.listeners {
                for setting in Self.fileSettings { files.formUnion(part[all: setting]) }
            }
        }
    }

    /// A log and a socket, which are the process's, are no part of a configuration.
    private static let fileSettings = SettingDefinition.all.filter { definition in
        guard case .file = definition.value.kind else { return false }
        return definition.scope != .process
    }.map(\.setting)
}

package import SecureMux

/// A place in a configuration file.
package struct FilePosition: Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    package let file: String
    /// From 1 on.
    package let line: Int
    /// From 1 on, in characters.
    package let column: Int

    /// As compilers write it, so that editors find it.
    package var description: String { "\(file):\(line):\(column)" }
}

/// What is wrong with a configuration file: where, with which key, and what would be right.
package struct FileProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let position: FilePosition
    /// The keys that lead there, such as "devices.inverter.timeout"; empty for the file as a whole.
    package let path: String
    /// What is wrong, and what would be right.
    package let sentence: Sentence

    package var description: String {
        "\(position): \(path.isEmpty ? "" : "\(path): ")\(sentence.namingKeys)".escapingControls
    }
}

/// Everything that is wrong with the files of a configuration.
package struct FileProblems: Error, CustomStringConvertible {
    package let all: [FileProblem]
    /// The files that would have made the configuration, as far as they are known.
    package let sources: SourceFiles

    /// A line each, in the order of the files.
    package var description: String { all.map(\.description).joined(separator: "\n") }
}

import SecureMux

/// The settings that a part of a file has, each with its place.
struct FilePart: Sendable {
    /// Where the part begins.
    let position: FilePosition
    /// The keys that lead there.
    let path: String
    var settings = WrittenSettings()
    private var places: [Setting: (position: FilePosition, path: String)] = [:]

    /// A part in which nothing is written yet.
    init(at position: FilePosition, path: String) {
        (self.position, self.path) = (position, path)
    }

    /// Keeps the texts of a setting that is written at a place.
    mutating func set(_ setting: Setting, to texts: [String], at position: FilePosition, path: String) {
        settings[all: setting] = texts
        places[setting] = (position, path)
    }

    /// Whether a setting is written here.
    func has(_ setting: Setting) -> Bool { places[setting] != nil }

    /// What an error says of this part: at the place of the first setting that it names, if that is written here or in one of
    /// `others`, which hold for this part too.
    func problem(_ error: ConfigurationError, or others: [FilePart] = []) -> FileProblem {
        for part in [self] + others {
            for setting in error.sentence.settings.map(\.inFiles) {
                guard let place = part.places[setting] else { continue }
                return FileProblem(position: place.position, path: place.path, sentence: error.sentence)
            }
        }
        return FileProblem(position: position, path: path, sentence: error.sentence)
    }
}

extension Setting {
    /// What stands for it in files, where some settings of a command line are one.
    fileprivate var inFiles: Setting {
        switch self {
        case .deviceProtocol: .applicationProtocol
        case .tlsListen: .listen
        default: self
        }
    }
}

package import SecureMux

/// How users know settings: by the options of a command line, or by the keys of a file.
package enum SettingNames: Sendable {
    case options
    case keys

    /// A sentence as they read it.
    package func text(_ sentence: Sentence) -> String {
        switch self {
        case .options: sentence.namingOptions
        case .keys: sentence.namingKeys
        }
    }

    /// What an error says.
    package func text(_ error: any Error) -> String {
        (error as? any SentenceError).map { text($0.sentence) } ?? "\(error)"
    }

    /// A setting with a value.
    package func text(_ setting: Setting, _ value: String) -> String { text("\(setting, value)") }
}

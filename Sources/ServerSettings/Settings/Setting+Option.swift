package import SecureMux

extension Setting {
    /// The option that sets it: one of `server`, or of `probe` for the TLS of a connection that we open.
    package var option: String {
        switch self {
        case .applicationProtocol: "-p"
        case .clientProtocol: "--protocol"
        case .deviceProtocol: "--target-protocol"
        case .device: "-t"
        default: "--\(rawValue)"
        }
    }

    /// The option as one writes it with a value.
    package func option(with value: Value?) -> String {
        switch value {
        case nil, .on: option
        case .off: "--no-\(rawValue)"
        case .text(let text): "\(option) \(text)"
        }
    }
}

extension Sentence {
    /// The sentence with the options of this command.
    package var namingOptions: String { rendered { setting, value in setting.option(with: value) } }
}

extension Error {
    /// What the error says, with the options of this command.
    package var namingOptions: String { (self as? any SentenceError)?.sentence.namingOptions ?? "\(self)" }
}

package import SecureMux

extension Setting {
    /// The key that stands for it in a file, such as "tls.client-ca".
    package var key: String { SettingDefinition.of(self)?.fileKey ?? rawValue }

    /// The key as one writes it with a value.
    package func key(with value: Value?) -> String {
        switch value {
        case nil: "'\(key)'"
        case .on: "'\(key): true'"
        case .off: "'\(key): false'"
        case .text(let text): "'\(key): \(text)'"
        }
    }
}

extension SettingDefinition {
    /// What it is called in a file; one of a command line alone is another's there.
    fileprivate var fileKey: String {
        switch setting {
        case .deviceProtocol: "protocol"
        case .tlsListen: "address"
        default: key.joined(separator: ".")
        }
    }
}

extension Sentence {
    /// The sentence with the keys of a configuration file.
    package var namingKeys: String { rendered { setting, value in setting.key(with: value) } }
}

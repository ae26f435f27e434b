import ArgumentParser
import SecureMux
import ServerSettings

extension ArgumentHelp {
    /// What there is to say of the option for a setting.
    static func setting(_ setting: Setting) -> ArgumentHelp {
        guard let definition = SettingDefinition.of(setting) else { return "" }
        let summary = definition.summary.namingOptions
        return ArgumentHelp(
            "\(summary) (default: \(definition.standard.namingOptions))",
            valueName: definition.value.form
        )
    }
}

extension SettingDefinition.Standard {
    /// What holds where the option is not given, in words.
    var namingOptions: String {
        switch self {
        case .value("true"): "on"
        case .value("false"): "off"
        case .value(let text): text
        case .words(let words), .required(let words): words.namingOptions
        }
    }
}

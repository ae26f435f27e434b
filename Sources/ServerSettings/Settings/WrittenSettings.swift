package import SecureMux

/// The settings that somebody wrote, each as its text.
///
/// Options and files fill the same ones, and what follows from them is worked out once. Each text by itself is right: whoever
/// sets it has checked it by its definition.
package struct WrittenSettings: Hashable, Sendable {
    package private(set) var texts: [Setting: [String]] = [:]

    /// Nothing is written yet.
    package init() {}

    /// The text of a setting that has one value; nil where it is not written.
    package subscript(setting: Setting) -> String? {
        get { texts[setting]?.last }
        set { texts[setting] = newValue.map { [$0] } }
    }

    /// The texts of a setting that may have several values.
    package subscript(all setting: Setting) -> [String] {
        get { texts[setting] ?? [] }
        set { texts[setting] = newValue.isEmpty ? nil : newValue }
    }

    /// Sets a switch, unless it is not given.
    package mutating func set(_ setting: Setting, _ isOn: Bool?) {
        if let isOn { self[setting] = isOn ? "true" : "false" }
    }

    /// Whether a setting is written.
    package func has(_ setting: Setting) -> Bool { texts[setting] != nil }

    /// These, and from `defaults` what is not written here.
    package func over(_ defaults: WrittenSettings) -> WrittenSettings {
        var all = self
        all.texts.merge(defaults.texts) { own, _ in own }
        return all
    }

    /// What a setting's text means; nil where it is not written.
    package func value<Value>(
        _ setting: Setting,
        _ parse: (String) throws(ConfigurationError) -> Value
    ) throws(ConfigurationError) -> Value? {
        guard let text = self[setting] else { return nil }
        return try parse(text)
    }

    /// A duration; nil where it is not written.
    package func duration(_ setting: Setting) throws(ConfigurationError) -> Duration? {
        try value(setting) { text throws(ConfigurationError) in try Duration(parsing: text) }
    }

    /// A limit that can be switched off; nil where it is not written.
    package func limit(_ setting: Setting) throws(ConfigurationError) -> TimeLimit? {
        try value(setting) { text throws(ConfigurationError) in try TimeLimit(parsing: text) }
    }

    /// A number; nil where it is not written.
    package func count(_ setting: Setting) throws(ConfigurationError) -> Int? { try value(setting, Parse.count) }

    /// A number of bytes; nil where it is not written.
    package func size(_ setting: Setting) throws(ConfigurationError) -> Int? {
        try value(setting) { text throws(ConfigurationError) in try Int(parsingSize: text) }
    }

    /// Whether a switch is on; nil where it is not written.
    package func isOn(_ setting: Setting) throws(ConfigurationError) -> Bool? { try value(setting, Parse.truth) }
}

extension Setting {
    /// A text for it that somebody wrote, if it is one.
    package func checked(_ text: String) throws(ConfigurationError) -> String {
        try SettingDefinition.of(self)?.value.check(text)
        return text
    }
}

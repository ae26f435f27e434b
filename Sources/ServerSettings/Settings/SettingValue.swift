import MultiplexerCore
package import SecureMux

/// What may be written for a setting.
package struct SettingValue: Sendable {
    /// What the help and the documents call it, such as "duration".
    package let form: String
    package let kind: Kind
    /// Whether there may be several.
    package var isList = false
    private let refuse: @Sendable (String) throws(ConfigurationError) -> Void

    /// Which kinds there are, for those that show a form to fill in.
    package enum Kind: Sendable {
        case text
        /// A text that names a file, relative to the file in which it is written.
        case file
        case count
        case truth
        case choice([String])
        /// Pairs of numbers.
        case map
    }

    private init(
        _ form: String,
        _ kind: Kind = .text,
        check: @escaping @Sendable (String) throws(ConfigurationError) -> Void
    ) {
        (self.form, self.kind, refuse) = (form, kind, check)
    }

    /// Refuses a text that is no such value.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    package func check(_ text: String) throws(ConfigurationError) { try refuse(text) }

    /// A text, if it is such a value.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    package func checked(_ text: String) throws(ConfigurationError) -> String {
        try refuse(text)
        return text
    }

    /// Several of a value.
    package static func list(of value: SettingValue) -> SettingValue {
        var list = value
        list.isList = true
        return list
    }
}

extension SettingValue {
    package static let duration = SettingValue("duration") { text throws(ConfigurationError) in
        _ = try Duration(parsing: text)
    }
    package static let limit = SettingValue("duration|off") { text throws(ConfigurationError) in
        _ = try TimeLimit(parsing: text)
    }
    package static let size = SettingValue("size") { text throws(ConfigurationError) in _ = try Int(parsingSize: text) }
    package static let count = SettingValue("count", .count) { text throws(ConfigurationError) in
        _ = try Parse.count(text)
    }
    package static let truth = SettingValue("true|false", .truth) { text throws(ConfigurationError) in
        _ = try Parse.truth(text)
    }
    package static let file = SettingValue("file", .file) { text throws(ConfigurationError) in
        if text.isEmpty { throw ConfigurationError("'' names no file") }
    }
    package static let listenAddress = SettingValue("address") { text throws(ConfigurationError) in
        _ = try ListenAddress(parsing: text)
    }
    package static let deviceAddress = SettingValue("host:port") { text throws(ConfigurationError) in
        _ = try DeviceAddress(parsing: text)
    }
    package static let sourceAddress = SettingValue("address") { text throws(ConfigurationError) in
        _ = try SourceAddress(parsing: text)
    }
    package static let block = SettingValue("cidr") { text throws(ConfigurationError) in
        _ = try CIDRBlock(parsing: text)
    }
    package static let unitMap = SettingValue("client=device", .map) { text throws(ConfigurationError) in
        _ = try UnitMap(parsing: text)
    }
    package static let delimiter = SettingValue("hex") { text throws(ConfigurationError) in
        _ = try Parse.delimiter(text)
    }
    package static let lengthBytes = SettingValue("count", .choice(["1", "2", "4"])) {
        text throws(ConfigurationError) in
        _ = try Parse.lengthBytes(text)
    }
    package static let headerBytes = SettingValue("count", .count) { text throws(ConfigurationError) in
        _ = try Parse.headerBytes(text)
    }
    package static let lengthAdds = SettingValue("count", .count) { text throws(ConfigurationError) in
        _ = try Parse.lengthAdds(text)
    }
    package static let lengthFormat = SettingValue("format", .choice(["binary", "ascii", "bcd"])) {
        text throws(ConfigurationError) in _ = try Parse.lengthFormat(text)
    }
    package static let lengthOrder = SettingValue("order", .choice(["big", "little"])) {
        text throws(ConfigurationError) in
        _ = try Parse.lengthOrder(text)
    }
    package static let repetition = SettingValue("checked|ignored", .choice(["checked", "ignored"])) {
        text throws(ConfigurationError) in _ = try Parse.isIgnored(text)
    }
    package static let tlsVersion = SettingValue("version", .choice(["1.2", "1.3"])) {
        text throws(ConfigurationError) in
        _ = try Parse.tlsVersion(text)
    }
    package static let clientCertificates = SettingValue("policy", .choice(["off", "optional", "required"])) {
        text throws(ConfigurationError) in _ = try Parse.clientCertificates(text)
    }
    package static let logLevel = SettingValue("level", .choice(["error", "warning", "notice", "info", "debug"])) {
        text throws(ConfigurationError) in _ = try Parse.logLevel(text)
    }
    package static let applicationProtocol = SettingValue("name", .choice(ApplicationProtocol.all.map(\.name))) {
        text throws(ConfigurationError) in _ = try Parse.applicationProtocol(text)
    }
    package static let deviceProfile = SettingValue("name", .choice(DeviceProfile.all.map(\.name))) {
        text throws(ConfigurationError) in _ = try Parse.deviceProfile(text)
    }
}

package import SecureMux

/// All that there is to say of a setting.
///
/// The help, the reader of configuration files, their schema and example, and a test of the documents take it from here, so that
/// none of them can forget a setting or say something else of it.
package struct SettingDefinition: Sendable {
    package let setting: Setting
    /// What it is a setting of.
    package let scope: Scope
    /// Where it stands in a file, below its scope; two words are a key in the map of the first one.
    package let key: [String]
    package let value: SettingValue
    /// What it does, and what to mind.
    package let summary: Sentence
    package let standard: Standard
    package let reload: Reload

    /// The setting at this place.
    package init(
        _ setting: Setting,
        of scope: Scope,
        key: String? = nil,
        _ value: SettingValue,
        _ summary: Sentence,
        default standard: Standard,
        reload: Reload
    ) {
        self.setting = setting
        self.scope = scope
        self.key = (key ?? setting.rawValue).split(separator: ".").map(String.init)
        self.value = value
        self.summary = summary
        self.standard = standard
        self.reload = reload
    }

    /// What a setting is a setting of.
    package enum Scope: String, CaseIterable, Sendable {
        /// The whole process.
        case process
        case device
        case listener
        /// None of a file: what it stands for on a command line is said otherwise there.
        case commandLine
    }

    /// What holds where a setting is not written.
    package enum Standard: Sendable {
        /// This value, as it would be written.
        case value(String)
        /// What these words say.
        case words(Sentence)
        /// Nothing: a file has to say it. On a command line it is what the words say.
        case required(Sentence)
    }

    /// What a reload does that brings another value.
    package enum Reload: String, CaseIterable, Sendable {
        /// It holds from now on, for what is there as well.
        case inPlace = "holds at once"
        /// New connections get it; those that stand keep what they have.
        case newClients = "holds for new connections"
        /// The listener is opened anew from the same socket; its clients finish what they have asked.
        case listener = "opens the listener anew"
        /// The device is drained, and connected to anew.
        case device = "connects to the device anew"
        /// Only a start reads it.
        case start = "needs a restart"
    }
}

extension SettingDefinition {
    /// Every setting of a server, in the order in which they are explained.
    package static let all: [SettingDefinition] =
        devices + protocols + formats + readsAndWrites + times + clients + limits + tls + processes

    /// The one of a setting; nil for one that is not a server's.
    package static func of(_ setting: Setting) -> SettingDefinition? { bySetting[setting] }

    /// Those that a part of a file may have.
    package static func all(of scope: Scope) -> [SettingDefinition] { all.filter { $0.scope == scope } }

    private static let bySetting = Dictionary(uniqueKeysWithValues: all.map { ($0.setting, $0) })
}

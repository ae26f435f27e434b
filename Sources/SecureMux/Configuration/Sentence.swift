/// A sentence for users, or a clause of one, that names settings by what they are.
///
/// Written like a text: `"use a certificate of a CA in \(.clientCA), or set \(.clientCertificates, "off")"`. It keeps the
/// settings; whoever shows it says in ``rendered(naming:)`` what its readers call them: an option, a key of a file.
///
/// A log carries sentences in its metadata, as `.stringConvertible`.
public struct Sentence: Hashable, Sendable {
    private var parts: [Part]

    fileprivate enum Part: Hashable, Sendable {
        case text(String)
        case setting(Setting, Setting.Value?)
    }

    /// Whether there is a setting in it.
    public var namesSettings: Bool { !settings.isEmpty }

    /// The settings in it, in their order.
    public var settings: [Setting] {
        parts.compactMap { if case .setting(let setting, _) = $0 { setting } else { nil } }
    }

    /// The text in which `name` says what each setting is called, together with its value where there is one.
    public func rendered(naming name: (Setting, Setting.Value?) -> String) -> String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .text(let words): text += words
            case .setting(let setting, let value): text += name(setting, value)
            }
        }
    }
}

extension Sentence: CustomStringConvertible {
    /// The text with the plain names of settings: "use a certificate of a CA in 'client-ca'".
    public var description: String {
        rendered { setting, value in
            switch value {
            case nil: "\(setting)"
            case .on: "\(setting) on"
            case .off: "\(setting) off"
            case .text(let text): "\(setting) \(text)"
            }
        }
    }
}

extension Sentence: ExpressibleByStringInterpolation {
    /// A sentence without a setting.
    public init(stringLiteral value: String) {
        parts = value.isEmpty ? [] : [.text(value)]
    }

    /// What was written between the quotes.
    public init(stringInterpolation: StringInterpolation) {
        parts = stringInterpolation.parts
    }

    /// A sentence in the making.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var parts: [Part] = []

        /// One of nothing.
        public init(literalCapacity: Int, interpolationCount: Int) {}

        /// Adds words.
        public mutating func appendLiteral(_ literal: String) {
            append(.text(literal))
        }

        /// Adds what is no setting.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            append(.text(value.description))
        }

        /// Names a setting.
        public mutating func appendInterpolation(_ setting: Setting) {
            parts.append(.setting(setting, nil))
        }

        /// Names a setting with a value.
        public mutating func appendInterpolation(_ setting: Setting, _ value: String) {
            parts.append(.setting(setting, .text(value)))
        }

        /// Names a switch that is on or off.
        public mutating func appendInterpolation(_ setting: Setting, _ isOn: Bool) {
            parts.append(.setting(setting, isOn ? .on : .off))
        }

        /// Adds another sentence with its settings.
        public mutating func appendInterpolation(_ sentence: Sentence) {
            for part in sentence.parts { append(part) }
        }

        /// Adds what an error says, with the settings that it names.
        public mutating func appendInterpolation(_ error: some Error) {
            appendInterpolation((error as? any SentenceError)?.sentence ?? "\("\(error)")")
        }

        /// Adds what an error says, with the settings that it names.
        public mutating func appendInterpolation(_ error: some Error & CustomStringConvertible) {
            appendInterpolation((error as? any SentenceError)?.sentence ?? "\(error.description)")
        }

        /// Words that follow words are one part: sentences that say the same are equal.
        private mutating func append(_ part: Part) {
            guard case .text(let words) = part else { return parts.append(part) }
            guard !words.isEmpty else { return }
            if case .text(let before)? = parts.last {
                parts[parts.count - 1] = .text(before + words)
            } else {
                parts.append(part)
            }
        }
    }

    /// Both, one after the other.
    public static func + (first: Sentence, second: Sentence) -> Sentence { "\(first)\(second)" }
}

/// An error that is a sentence for the one who has to act.
public protocol SentenceError: Error, CustomStringConvertible {
    /// What is wrong, and what would be right.
    var sentence: Sentence { get }
}

extension SentenceError {
    /// The sentence with the plain names of settings.
    public var description: String { sentence.description }
}

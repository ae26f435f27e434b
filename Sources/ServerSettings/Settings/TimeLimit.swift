package import SecureMux

/// A limit of time that can be switched off: a duration, or `off`.
package enum TimeLimit: Hashable {
    case off
    case after(Duration)

    /// Reads `off`, or a duration longer than nothing.
    package init(parsing text: String) throws(ConfigurationError) {
        guard text != "off" else {
            self = .off
            return
        }
        let duration: Duration
        do {
            duration = try Duration(parsing: text)
        } catch {
            throw ConfigurationError("\(error), or off for no limit")
        }
        guard duration > .zero else {
            throw ConfigurationError("'\(text)' would end everything at once: write off for no limit")
        }
        self = .after(duration)
    }

    /// The limit; nil for none.
    package var duration: Duration? {
        switch self {
        case .off: nil
        case .after(let duration): duration
        }
    }
}

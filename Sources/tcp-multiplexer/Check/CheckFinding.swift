import SecureMux
import ServerSettings

/// Something that a check found.
struct CheckFinding: Hashable, Sendable {
    let severity: Severity
    /// Where it stands, such as "config.yml:3:5: devices.inverter.target"; nil for what options say.
    let place: FileProblem?
    let sentence: Sentence
    let names: SettingNames

    /// How much it matters.
    enum Severity: String, CaseIterable, Sendable {
        /// The server would not start, or nobody would be served.
        case error
        /// It works, and may not be what was meant.
        case warning
        /// Good to know.
        case note
    }
}

extension CheckFinding: CustomStringConvertible {
    /// A line for people.
    var description: String {
        let start = place.map { "\($0.position): \($0.path.isEmpty ? "" : "\($0.path): ")" } ?? ""
        return "\(start)\(severity.rawValue): \(names.text(sentence))".escapingControls
    }

    /// An object for programs.
    var json: JSON {
        var members: [String: JSON] = ["severity": .text(severity.rawValue), "text": .text(names.text(sentence))]
        if let place {
            members["file"] = .text(place.position.file)
            members["line"] = .number(place.position.line)
            members["column"] = .number(place.position.column)
            members["path"] = .text(place.path)
        }
        return .object(members)
    }
}

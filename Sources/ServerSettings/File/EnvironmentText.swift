import SecureMux

/// Puts variables of the environment into a text: `${NAME}`, `${NAME:-what holds without it}`, and `$$` for a dollar sign.
///
/// What comes from the environment is a text like any other there: it is not looked through again, and brings no keys.
struct EnvironmentText: Sendable {
    /// The variables that there are.
    let variables: [String: String]

    /// The text with its variables.
    ///
    /// - Throws: ``ConfigurationError`` where one is not set, or not written as above.
    func expanded(_ text: String) throws(ConfigurationError) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                result += "$"
                rest = rest.dropFirst()
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw ConfigurationError(
                        "'$\(rest)' has no '}': write ${NAME} or ${NAME:-default}, and $$ for a '$'"
                    )
                }
                result += try value(of: rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
            default:
                throw ConfigurationError("a '$' alone: write ${NAME} or ${NAME:-default}, and $$ for a '$'")
            }
        }
        return result + rest
    }

    private func value(of reference: Substring) throws(ConfigurationError) -> String {
        let name = reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
        let rest = reference.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
            throw ConfigurationError("'${\(reference)}' names no variable: write ${NAME} or ${NAME:-default}")
        }
        // As in a shell, one that is empty counts as not set where something holds without it.
        let value = variables[String(name)]
        if rest.isEmpty {
            guard let value else {
                throw ConfigurationError("the variable \(name) is not set: set it, or write ${\(name):-default}")
            }
            return value
        }
        return value.flatMap { $0.isEmpty ? nil : $0 } ?? String(rest.dropFirst(2))
    }
}

/// Text for a terminal or a log that may come from a peer, such as a certificate's subject: no peer can forge a line or
/// hide what it says.
extension String {
    /// The text in one line, with what would be obeyed instead of shown written as `\u{…}`.
    package var escapingControls: String {
        escaping(\.isControl)
    }

    /// The text as it is where that is one word, else in quotes, with the quotes and backslashes in it escaped too.
    package var quotedUnlessPlain: String {
        let escaped = escaping { $0.isControl || $0 == "\"" || $0 == "\\" }
        let isOneWord = !isEmpty && !unicodeScalars.contains(where: \.properties.isWhitespace)
        return isOneWord && escaped == self ? self : "\"\(escaped)\""
    }

    private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
        unicodeScalars.reduce(into: "") { text, scalar in
            if !isEscaped(scalar) {
                text.unicodeScalars.append(scalar)
            } else if scalar.isControl {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text += "\\\(scalar)"
            }
        }
    }
}

extension Unicode.Scalar {
    /// C0 and C1 controls, marks that turn the direction of text or have no width, separators of lines and paragraphs.
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

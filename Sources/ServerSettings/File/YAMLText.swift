import SecureMux
import Yams

/// The text of a configuration file, read as YAML.
struct YAMLText {
    /// The file, as it was named.
    let file: String
    private let text: String

    /// How large a file may be; each device takes a few hundred bytes.
    private static let limit = 4 << 20

    /// A text that was read from `file`.
    init(_ text: String, of file: String) {
        (self.text, self.file) = (text, file)
    }

    /// Reads a file.
    ///
    /// - Throws: ``FileProblem`` where it cannot be read, or is no text.
    init(reading file: String) throws(FileProblem) {
        func refused(_ reason: Sentence) -> FileProblem {
            FileProblem(position: FilePosition(file: file, line: 1, column: 1), path: "", sentence: reason)
        }
        let bytes: [UInt8]
        do {
            bytes = try RegularFile(file, atMost: Self.limit).bytes
        } catch {
            throw refused("the file \(error)")
        }
        guard bytes.count < Self.limit else { throw refused("the file is larger than 4M, which no configuration is") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refused("the file is not UTF-8: save it as UTF-8")
        }
        self.init(text, of: file)
    }

    /// Where a part of it begins.
    func position(of node: Node) -> FilePosition {
        node.mark.map(position) ?? FilePosition(file: file, line: 1, column: 1)
    }

    /// Its one document; nil where there is nothing in it.
    ///
    /// - Throws: ``FileProblem`` where it is no YAML, or has what is not read here.
    func document() throws(FileProblem) -> Node? {
        let parser: Parser
        let document: Node?
        do {
            parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
            document = try parser.singleRoot()
        } catch {
            throw problem(error)
        }
        // A node's anchor lives as long as its parser.
        defer { withExtendedLifetime(parser) {} }
        if let document { try refuseReferences(in: document) }
        return document
    }

    /// A part that is repeated by reference can stand for more than fits into memory; and `defaults` says better what is shared.
    private func refuseReferences(in node: Node) throws(FileProblem) {
        guard node.anchor == nil else {
            throw FileProblem(
                position: position(of: node),
                path: "",
                sentence: "anchors (&name) are not read here: write what is shared below 'defaults'"
            )
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                try refuseReferences(in: key)
                try refuseReferences(in: value)
            }
        case .sequence(let sequence):
            for node in sequence { try refuseReferences(in: node) }
        case .scalar, .alias:
            break
        }
    }
}

// MARK: - What is no YAML

extension YAMLText {
    private func problem(_ error: any Error) -> FileProblem {
        let (position, what): (FilePosition, String) =
            switch error as? YamlError {
            case .scanner(let context, let what, let mark, _), .parser(let context, let what, let mark, _):
                (position(at: mark), words(what, context, at: mark))
            case .composer(let context, let what, let mark, _):
                (
                    position(at: mark),
                    context == nil
                        ? "\(what): references (*name) are not read here: write what is shared below 'defaults'"
                        : "a second document begins here: a file holds one"
                )
            case .duplicatedKeysInMapping(let keys, let context):
                (
                    position(at: context.mark),
                    "\(keys.map { "'\($0)'" }.joined(separator: ", ")) is written twice: keep one"
                )
            case .reader(let what, let offset, _, _):
                (position(atByte: offset ?? 0), "\(what): the file holds a character that YAML does not have")
            default:
                (FilePosition(file: file, line: 1, column: 1), "this is no YAML: \(error)")
            }
        return FileProblem(position: position, path: "", sentence: "\(what)")
    }

    private func position(at mark: Mark) -> FilePosition {
        FilePosition(file: file, line: mark.line, column: mark.column)
    }

    private func words(_ what: String, _ context: YamlError.Context?, at mark: Mark) -> String {
        if character(at: mark) == "\t" { return "a tab: indent with spaces, which YAML asks for" }
        let place = context.map { " (\($0.text) of line \($0.mark.line))" } ?? ""
        return "\(what)\(place): look at quotes, colons and indentation here and in the line before"
    }

    private func character(at mark: Mark) -> Character? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.indices.contains(mark.line - 1) else { return nil }
        return lines[mark.line - 1].dropFirst(mark.column - 1).first
    }

    private func position(atByte offset: Int) -> FilePosition {
        let before = text.utf8.prefix(max(offset, 0))
        let line = before.lazy.filter { $0 == UInt8(ascii: "\n") }.count + 1
        let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
        return FilePosition(file: file, line: line, column: column)
    }
}

import SecureMux
import Yams

/// Reads the parts of a configuration's files, and finds all that is wrong with each.
///
/// What one part means together with others is for ``ConfigurationFile``.
struct FileReader: Sendable {
    /// What was read.
    private(set) var process: FilePart
    private(set) var deviceDefaults: FilePart
    private(set) var listenerDefaults: FilePart
    private(set) var devices: [Device] = []
    /// The files, the first one first.
    private(set) var files: [String] = []
    /// What stands for files that are included, from the root or the current folder on.
    private(set) var patterns: Set<String> = []
    private(set) var problems: [FileProblem] = []

    private let environment: EnvironmentText
    private let readsFiles: Bool

    /// A device of a file.
    struct Device: Sendable {
        let name: String
        var part: FilePart
        var listeners: [FilePart] = []
    }

    /// Reads a file and those that it includes, or `text` as if it were the file, and no other.
    init(_ file: String, holding text: String?, environment: [String: String]) {
        self.environment = EnvironmentText(variables: environment)
        readsFiles = text == nil
        let start = FilePosition(file: file, line: 1, column: 1)
        process = FilePart(at: start, path: "")
        deviceDefaults = FilePart(at: start, path: "defaults.device")
        listenerDefaults = FilePart(at: start, path: "defaults.listener")
        read(file, holding: text, isIncluded: false)
        if devices.isEmpty, problems.isEmpty {
            problems.append(
                FileProblem(
                    position: start,
                    path: "",
                    sentence:
                        "there is no device: write 'devices:' and below it one, as 'tcp-multiplexer config example' shows"
                )
            )
        }
    }

    private mutating func refuse(_ sentence: Sentence, at position: FilePosition, _ path: String) {
        problems.append(FileProblem(position: position, path: path, sentence: sentence))
    }
}

// MARK: - Files

extension FileReader {
    private mutating func read(_ file: String, holding text: String? = nil, isIncluded: Bool) {
        files.append(file)
        do {
            let text = if let text { YAMLText(text, of: file) } else { try YAMLText(reading: file) }
            guard let document = try text.document(), !document.isNothing else { return }
            readDocument(document, of: text, isIncluded: isIncluded)
        } catch {
            problems.append(error)
        }
    }

    private mutating func readDocument(_ document: Node, of text: YAMLText, isIncluded: Bool) {
        let ofFirst = ["include", "defaults"] + SettingDefinition.keys(of: .process)
        let keys = ["version", "devices"] + (isIncluded ? [] : ofFirst)
        for (key, value, position) in entries(of: document, in: text, path: "") {
            switch key {
            case "version":
                readVersion(value, at: text.position(of: value))
            case "devices":
                readDevices(value, in: text)
            case _ where isIncluded && ofFirst.contains(key):
                refuse(
                    "a file that is included holds devices alone: write this in the one that includes it",
                    at: position,
                    key
                )
            case "include":
                readIncludes(value, in: text)
            case "defaults":
                readDefaults(value, in: text)
            case _ where keys.contains(key):
                var part = process
                read(key, value, at: position, of: .process, into: &part, in: text)
                process = part
            default:
                refuse(Self.unknown(key, among: keys), at: position, key)
            }
        }
    }

    private mutating func readVersion(_ node: Node, at position: FilePosition) {
        guard node.scalar?.string != "1" else { return }
        refuse("this program reads version 1: write 'version: 1'", at: position, "version")
    }

    private mutating func readIncludes(_ node: Node, in text: YAMLText) {
        for pattern in texts(of: node, isList: true, form: "file", in: text, path: "include") {
            patterns.insert(FilePattern.path(pattern.text, relativeTo: text.file))
            let files = readsFiles ? FilePattern(pattern.text, relativeTo: text.file).files : []
            if files.isEmpty, !FilePattern.hasWildcard(pattern.text) {
                refuse("the file '\(pattern.text)' does not exist", at: pattern.position, "include")
            }
            for file in files { read(file, isIncluded: true) }
        }
    }

    private mutating func readDefaults(_ node: Node, in text: YAMLText) {
        for (key, value, position) in entries(of: node, in: text, path: "defaults") {
            switch key {
            case "device":
                var part = FilePart(at: position, path: "defaults.device")
                readSettings(of: .device, value, into: &part, in: text)
                deviceDefaults = part
            case "listener":
                var part = FilePart(at: position, path: "defaults.listener")
                readSettings(of: .listener, value, into: &part, in: text)
                listenerDefaults = part
            default:
                refuse(Self.unknown(key, among: ["device", "listener"]), at: position, "defaults.\(key)")
            }
        }
        for (part, setting) in [(deviceDefaults, Setting.device), (listenerDefaults, .listen)] where part.has(setting) {
            problems.append(part.problem(ConfigurationError("\(setting) is each one's own: it has no default")))
        }
    }
}

// MARK: - Devices and listeners

extension FileReader {
    private mutating func readDevices(_ node: Node, in text: YAMLText) {
        for (name, value, position) in entries(of: node, in: text, path: "devices") {
            let path = "devices.\(name)"
            if let reason = Self.objection(to: name) { refuse("\(reason)", at: position, path) }
            if let other = devices.first(where: { $0.name == name }) {
                refuse(
                    "a device of this name is in \(other.part.position.file) already: give each a name of its own",
                    at: position,
                    path
                )
                continue
            }
            var device = Device(name: name, part: FilePart(at: position, path: path))
            let others = readSettings(
                of: .device,
                value,
                into: &device.part,
                in: text,
                andKeys: ["listeners"]
            )
            for (_, listeners, _) in others {
                device.listeners = readListeners(listeners, path: "\(path).listeners", in: text)
            }
            let isRead = value.mapping != nil
            if isRead { refuseMissing([.device, .applicationProtocol], of: device.part, or: deviceDefaults) }
            if isRead, others.isEmpty {
                refuse("nobody can reach it: write 'listeners:' and below it '- address: 5020'", at: position, path)
            }
            devices.append(device)
        }
    }

    private mutating func readListeners(_ node: Node, path: String, in text: YAMLText) -> [FilePart] {
        guard let sequence = node.sequence else {
            refuse("this is a list: write each listener as '- address: …'", at: text.position(of: node), path)
            return []
        }
        if sequence.isEmpty {
            refuse("nobody can reach it: write '- address: 5020' below it", at: text.position(of: node), path)
        }
        return sequence.enumerated().map { index, node in
            var listener = FilePart(at: text.position(of: node), path: "\(path)[\(index)]")
            readSettings(of: .listener, node, into: &listener, in: text)
            if node.mapping != nil { refuseMissing([.listen], of: listener, or: listenerDefaults) }
            return listener
        }
    }

    private mutating func refuseMissing(_ settings: [Setting], of part: FilePart, or defaults: FilePart) {
        for setting in settings where !part.has(setting) && !defaults.has(setting) {
            let example =
                switch setting {
                case .device: "192.168.1.22:502"
                case .applicationProtocol: "modbus"
                default: "5020"
                }
            refuse("\(setting) is missing: write \(setting, example), for example", at: part.position, part.path)
        }
    }

    /// Why a device cannot be called this; nil if it can.
    private static func objection(to name: String) -> String? {
        guard !name.isEmpty, name.count <= 64 else { return "a name has 1 to 64 characters" }
        let isPlain = name.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) }
        return isPlain ? nil : "'\(name)' is no name: use letters, digits, '.', '_' and '-'"
    }
}

// MARK: - Settings

extension FileReader {
    /// Reads the settings of a part.
    ///
    /// Keys of `more` are no settings: what stands under those is returned.
    @discardableResult
    private mutating func readSettings(
        of scope: SettingDefinition.Scope,
        _ node: Node,
        into part: inout FilePart,
        in text: YAMLText,
        andKeys more: [String] = []
    ) -> [(key: String, value: Node, position: FilePosition)] {
        let keys = SettingDefinition.keys(of: scope)
        var others: [(key: String, value: Node, position: FilePosition)] = []
        for (key, value, position) in entries(of: node, in: text, path: part.path) {
            if keys.contains(key) {
                read(key, value, at: position, of: scope, into: &part, in: text)
            } else if more.contains(key) {
                others.append((key, value, position))
            } else {
                refuse(Self.unknown(key, among: keys + more, of: scope), at: position, "\(part.path).\(key)")
            }
        }
        return others
    }

    /// Reads a setting, or the map of those that begin with `key`.
    private mutating func read(
        _ key: String,
        _ value: Node,
        at position: FilePosition,
        of scope: SettingDefinition.Scope,
        into part: inout FilePart,
        in text: YAMLText
    ) {
        let path = part.path.isEmpty ? key : "\(part.path).\(key)"
        let definitions = SettingDefinition.all(of: scope).filter { $0.key.first == key }
        if let definition = definitions.first(where: { $0.key.count == 1 }) {
            return read(definition, value, at: position, path, into: &part, in: text)
        }
        let keys = definitions.compactMap(\.key.last)
        for (inner, value, position) in entries(of: value, in: text, path: path) {
            guard let definition = definitions.first(where: { $0.key.last == inner }) else {
                refuse(Self.unknown(inner, among: keys), at: position, "\(path).\(inner)")
                continue
            }
            read(definition, value, at: position, "\(path).\(inner)", into: &part, in: text)
        }
    }

    private mutating func read(
        _ definition: SettingDefinition,
        _ node: Node,
        at position: FilePosition,
        _ path: String,
        into part: inout FilePart,
        in text: YAMLText
    ) {
        var written: [String] = []
        for (value, position) in texts(of: node, definition, in: text, path: path) {
            let meant = definition.asMeant(value, in: text.file)
            do {
                try definition.value.check(meant)
                written.append(meant)
            } catch {
                refuse(error.sentence, at: position, path)
            }
        }
        part.set(definition.setting, to: written, at: position, path: path)
    }

    private mutating func texts(
        of node: Node,
        _ definition: SettingDefinition,
        in text: YAMLText,
        path: String
    ) -> [(text: String, position: FilePosition)] {
        guard case .map = definition.value.kind, node.mapping != nil else {
            return texts(of: node, isList: definition.value.isList, form: definition.value.form, in: text, path: path)
        }
        return entries(of: node, in: text, path: path).flatMap { key, value, position in
            texts(of: value, isList: false, form: "number", in: text, path: "\(path).\(key)").map {
                ("\(key)=\($0.text)", position)
            }
        }
    }

    /// The texts that stand for a value, or for several where that is possible.
    private mutating func texts(
        of node: Node,
        isList: Bool,
        form: String,
        in text: YAMLText,
        path: String
    ) -> [(text: String, position: FilePosition)] {
        let position = text.position(of: node)
        switch node {
        case .scalar where node.isNothing:
            refuse("there is no value: write one, or leave the key out, which is the default", at: position, path)
        case .scalar(let scalar):
            do {
                return [(try environment.expanded(scalar.string), position)]
            } catch {
                refuse(error.sentence, at: position, path)
            }
        case .sequence(let nodes) where isList && nodes.isEmpty:
            refuse("there is nothing in the list: leave the key out, which is the default", at: position, path)
        case .sequence(let nodes) where isList:
            return nodes.flatMap { texts(of: $0, isList: false, form: form, in: text, path: path) }
        case .sequence:
            refuse("this is one value (\(form)), not a list", at: position, path)
        case .mapping, .alias:
            refuse(
                "this is \(isList ? "a list of values" : "one value") (\(form)), with no keys below it",
                at: position,
                path
            )
        }
        return []
    }

    /// The keys of a map with their values.
    private mutating func entries(
        of node: Node,
        in text: YAMLText,
        path: String
    ) -> [(key: String, value: Node, position: FilePosition)] {
        guard let mapping = node.mapping else {
            let found = node.isNothing ? "nothing" : node.sequence != nil ? "a list" : "one value"
            refuse(
                "keys are expected below it, each as 'key: value', and there is \(found)",
                at: text.position(of: node),
                path
            )
            return []
        }
        return mapping.compactMap { key, value in
            guard let name = key.scalar?.string else {
                refuse("a key is one word", at: text.position(of: key), path)
                return nil
            }
            return (name, value, text.position(of: key))
        }
    }

    private static func unknown(
        _ key: String,
        among known: [String],
        of scope: SettingDefinition.Scope? = nil
    ) -> Sentence {
        if let nearest = Suggestion.nearest(to: key, among: known) {
            return "there is no such key: is '\(nearest)' meant?"
        }
        // Who is used to options may look for it elsewhere.
        if let definition = SettingDefinition.all.first(where: { $0.isCalled(key) }), definition.scope != .commandLine {
            let place =
                switch definition.scope {
                case .process: "the top of the file"
                case .device, .commandLine: "a device, or defaults.device"
                case .listener: "a listener, or defaults.listener"
                }
            return "there is no such key here: it is '\(definition.key.joined(separator: "."))' of \(place)"
        }
        return "there is no such key here, only \(known.sorted().joined(separator: ", "))"
    }
}

extension SettingDefinition {
    /// The keys of a part of a file, without those in maps of it.
    static func keys(of scope: Scope) -> [String] {
        all(of: scope).compactMap(\.key.first).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// What a text of a file stands for: a port alone is one of the loopback, and a file is looked for beside its own.
    fileprivate func asMeant(_ text: String, in file: String) -> String {
        switch value.kind {
        case .file where !text.isEmpty: FilePattern.path(text, relativeTo: file)
        case .text where setting == .listen && !text.isEmpty && text.allSatisfy(\.isWholeNumber): "127.0.0.1:\(text)"
        default: text
        }
    }

    fileprivate func isCalled(_ name: String) -> Bool {
        setting.rawValue == name || key.joined(separator: ".") == name || key.last == name
    }
}

extension Node {
    /// Whether nothing was written, or that there is nothing.
    fileprivate var isNothing: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

import Foundation
import SecureMux

/// The JSON schema of a configuration file (https://json-schema.org/draft-07/schema), which editors read for YAML too.
package enum ConfigurationSchema {
    /// The schema's text.
    package static var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(schema), as: UTF8.self)
        }
    }

    private static var schema: JSON {
        let listener = object(of: .listener, required: ["address"])
        let device = object(
            of: .device,
            required: ["target", "protocol", "listeners"],
            more: [
                "listeners": [
                    "description": "Where clients connect; all share the device's one connection.", "type": "array",
                    "minItems": 1, "items": listener,
                ]
            ]
        )
        let devices: JSON = [
            "description": "The devices by their names.", "type": "object", "minProperties": 1,
            "propertyNames": ["pattern": "^[\\p{L}\\p{N}._-]{1,64}$"], "additionalProperties": device,
        ]
        var schema = object(
            of: .process,
            required: [],
            more: [
                "version": ["description": "The version of this format.", "const": 1],
                "include": [
                    "description": "Other files with devices, relative to this one.",
                    "anyOf": several(["type": "string"]),
                ],
                "defaults": [
                    "description": "What holds for every device and every listener that does not say something else.",
                    "type": "object", "additionalProperties": false,
                    "properties": [
                        "device": object(of: .device, required: [], without: "target"),
                        "listener": object(of: .listener, required: [], without: "address"),
                    ],
                ],
                "devices": devices,
            ]
        )
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
        schema["title"] = "tcp-multiplexer"
        return schema
    }

    /// A part of a file with all its settings.
    private static func object(
        of scope: SettingDefinition.Scope,
        required: [String],
        more: [String: JSON] = [:],
        without omitted: String? = nil
    ) -> JSON {
        var properties = more
        for key in SettingDefinition.keys(of: scope) where key != omitted {
            let definitions = SettingDefinition.all(of: scope).filter { $0.key.first == key }
            guard let first = definitions.first, first.key.count == 2 else {
                properties[key] = definitions.first?.schema
                continue
            }
            let inner = definitions.map { ($0.key[1], $0.schema) }
            properties[key] = [
                "type": "object", "additionalProperties": false,
                "properties": .object(Dictionary(uniqueKeysWithValues: inner)),
            ]
        }
        var object: JSON = ["type": "object", "additionalProperties": false, "properties": .object(properties)]
        if !required.isEmpty { object["required"] = .array(required.map { .text($0) }) }
        return object
    }

    fileprivate static func several(_ one: JSON) -> JSON { [one, ["type": "array", "items": one]] }
}

extension SettingDefinition {
    fileprivate var schema: JSON {
        let one = value.schema
        var schema: JSON = value.isList ? ["anyOf": ConfigurationSchema.several(one)] : one
        if case .map = value.kind {
            schema = [
                "anyOf": [one, ["type": "array", "items": one], ["type": "object", "additionalProperties": one]]
            ]
        }
        schema["description"] = .text(
            "\(summary.namingKeys) (default: \(standard.namingKeys)) On a reload a change \(reload.rawValue)."
        )
        if case .value(let text) = standard { schema["default"] = value.json(text) }
        return schema
    }
}

extension SettingDefinition.Standard {
    fileprivate var namingKeys: String {
        switch self {
        case .value(let text): text
        case .words(let words): words.namingKeys
        case .required: "none, it has to be written"
        }
    }
}

extension SettingValue {
    /// What may be written, a variable of the environment always.
    fileprivate var schema: JSON {
        let variable: JSON = ["type": "string", "pattern": "\\$\\{"]
        return switch kind {
        case .truth: ["anyOf": [["type": "boolean"], variable]]
        case .count: ["anyOf": [["type": "integer", "minimum": 0], variable]]
        case .choice(let names):
            ["anyOf": [["enum": .array(names.flatMap(Self.spellings))], variable]]
        case .text, .file, .map: ["type": ["string", "number"]]
        }
    }

    /// YAML takes a word of digits for a number, and `off` for a truth value in its older version.
    private static func spellings(_ name: String) -> [JSON] {
        if let number = Int(name) { return [.number(number), .text(name)] }
        if let number = Double(name) { return [.fraction(number), .text(name)] }
        return name == "off" ? [.text(name), .truth(false)] : [.text(name)]
    }

    fileprivate func json(_ text: String) -> JSON {
        switch kind {
        case .truth: .truth(text == "true")
        case .count: Int(text).map(JSON.number) ?? .text(text)
        default: .text(text)
        }
    }
}

import Foundation
import ServerSettings
import Testing

@Suite struct ConfigurationSchemaTests {
    private static func properties(of object: Any?, _ path: String...) throws -> [String: Any] {
        let found = path.reduce(object) { ($0 as? [String: Any])?[$1] }
        return try #require((found as? [String: Any])?["properties"] as? [String: Any])
    }

    @Test func `the schema has every setting of a file, each in its place, and no other`() throws {
        let schema = try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.text.utf8))
        let device = ["properties", "devices", "additionalProperties"]
        let places: [(SettingDefinition.Scope, [String: Any], Set<String>)] = [
            (.process, try Self.properties(of: schema), ["version", "include", "defaults", "devices"]),
            (.device, try Self.properties(of: schema, device[0], device[1], device[2]), ["listeners"]),
            (
                .listener,
                try Self.properties(of: schema, device[0], device[1], device[2], "properties", "listeners", "items"), []
            ),
        ]
        for (scope, properties, others) in places {
            let definitions = SettingDefinition.all(of: scope)
            #expect(Set(properties.keys) == Set(definitions.map { $0.key[0] }).union(others))
            for definition in definitions where definition.key.count == 2 {
                let inner = try Self.properties(of: properties[definition.key[0]])
                #expect(inner[definition.key[1]] != nil, "\(definition.setting)")
            }
        }
    }
}

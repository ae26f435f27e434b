import SecureMux
import ServerSettings
import Testing

@Suite struct SettingDefinitionTests {
    /// What `probe` alone has.
    private static let ofProbe: Set<Setting> = [.ca, .certificate, .key, .keyPassphraseFile]

    @Test func `every setting of a server is defined once`() {
        let defined = SettingDefinition.all.map(\.setting)
        #expect(Set(defined).count == defined.count)
        #expect(Set(defined) == Set(Setting.allCases).subtracting(Self.ofProbe))
    }

    @Test func `no two settings of a part of a file have one key`() {
        for scope in SettingDefinition.Scope.allCases {
            let keys = SettingDefinition.all(of: scope).map(\.key)
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test(arguments: SettingDefinition.all.map(\.setting))
    func `a default is a value that could be written`(setting: Setting) throws {
        let definition = try #require(SettingDefinition.of(setting))
        guard case .value(let text) = definition.standard else { return }
        try definition.value.check(text)
    }
}

import Foundation
import MultiplexerCore
import SecureMux
import Testing

@Suite struct DeviceProfileTests {
    private static let names = DeviceProfile.all.map(\.name)

    @Test func `profiles are found by their names, which differ`() {
        for profile in DeviceProfile.all {
            #expect(DeviceProfile.named(profile.name) == profile)
        }
        #expect(DeviceProfile.named("huawei") == nil)
        #expect(Set(DeviceProfile.all.map(\.name)).count == DeviceProfile.all.count)
    }

    @Test(arguments: names)
    func `each value is set once and has a source that can be looked up`(name: String) throws {
        let profile = try #require(DeviceProfile.named(name))
        #expect(Set(profile.settings.map(\.time)).count == profile.settings.count)
        for setting in profile.settings {
            #expect(try #require(URL(string: setting.source)).scheme == "https")
        }
    }

    @Test(arguments: names)
    func `the document has each device with its values and their sources`(name: String) throws {
        let profile = try #require(DeviceProfile.named(name))
        let section = try #require(
            try Self.document.components(separatedBy: "\n## ").first { $0.range(of: "\nProfile `\(name)`") != nil }
        )
        let rows = section.components(separatedBy: "\n")
        for setting in profile.settings {
            let row = rows.first { $0.hasPrefix("| `\(Self.text(setting))` |") }
            #expect(row?.range(of: setting.source) != nil, "\(Self.text(setting))")
        }
        #expect(profile.settings.isEmpty == (section.range(of: "Sets nothing") != nil))
    }

    @Test(arguments: names)
    func `a profile works with the defaults beside it`(name: String) throws {
        let profile = try #require(DeviceProfile.named(name))
        var configuration = Multiplexer.Configuration()
        profile.apply(to: &configuration)
        #expect(configuration.responseTimeout <= configuration.queueTimeout)
        #expect(configuration.minimumGap < configuration.queueTimeout)
        #expect(configuration.connectionLifetime.map { $0 > configuration.delayAfterConnect } != false)
    }

    @Test func `a profile changes what it names and nothing else`() {
        let profile = DeviceProfile(
            name: "own",
            summary: "a device of one's own",
            settings: [
                DeviceProfile.Setting(.responseTimeout, .seconds(1), source: "https://example.com/1"),
                DeviceProfile.Setting(.delayAfterConnect, .seconds(2), source: "https://example.com/2"),
                DeviceProfile.Setting(.minimumGap, .seconds(3), source: "https://example.com/3"),
                DeviceProfile.Setting(.settleTime, .seconds(4), source: "https://example.com/4"),
                DeviceProfile.Setting(.idleClose, .seconds(5), source: "https://example.com/5"),
                DeviceProfile.Setting(.connectionLifetime, .seconds(6), source: "https://example.com/6"),
            ]
        )
        #expect(Set(profile.settings.map(\.time)) == Set(DeviceProfile.Time.allCases))
        var configuration = Multiplexer.Configuration(linger: .seconds(7))
        profile.apply(to: &configuration)
        #expect(
            configuration
                == Multiplexer.Configuration(
                    responseTimeout: .seconds(1),
                    delayAfterConnect: .seconds(2),
                    minimumGap: .seconds(3),
                    settleTime: .seconds(4),
                    linger: .seconds(7),
                    idleClose: .seconds(5),
                    connectionLifetime: .seconds(6)
                )
        )
    }

    /// The setting as the document has it, which is how users write it.
    private static func text(_ setting: DeviceProfile.Setting) -> String {
        let option =
            switch setting.time {
            case .responseTimeout: "--timeout"
            case .delayAfterConnect: "--delay"
            case .minimumGap: "--gap"
            case .settleTime: "--settle"
            case .idleClose: "--idle-close"
            case .connectionLifetime: "--connection-lifetime"
            }
        return "\(option) \(setting.value.shortText)"
    }

    private static var document: String {
        get throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            return try String(contentsOf: root.appending(path: "docs/devices.md"), encoding: .utf8)
        }
    }
}

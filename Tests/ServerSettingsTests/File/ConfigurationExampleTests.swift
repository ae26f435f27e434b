import Foundation
import MultiplexerCore
import SecureMux
import ServerSettings
import Testing

@Suite struct ConfigurationExampleTests {
    private func read(_ text: String) throws -> ConfigurationFile {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "config.yml")
        return try ConfigurationFile(folder.path("config.yml"), environment: [:])
    }

    @Test func `the example means the defaults, and so does what it says in comments`() throws {
        let (short, long) = (try read(ConfigurationExample.text), try read(ConfigurationExample.withDefaults))
        let (device, same) = (short.configuration.devices[0], long.configuration.devices[0])
        #expect(same.multiplexer == device.multiplexer && device.multiplexer == .init())
        #expect(same.listeners[0].rules.limits == device.listeners[0].rules.limits)
        #expect(device.listeners[0].rules.limits == ClientLimits())
        #expect(same.applicationProtocol.name == device.applicationProtocol.name)
        #expect(same.listeners[0].address.isLoopback)
        // They are written, or this would show nothing.
        #expect(short.written.devices[0].settings.texts.count == 2)
        #expect(long.written.devices[0].settings.texts.count > 15)
        #expect(long.written.devices[0].listeners[0].texts.count > 5)
        #expect(long.written.process.texts.count > 1)
    }

    @Test func `the example has every setting of a file`() throws {
        for definition in SettingDefinition.all where definition.scope != .commandLine {
            let key = definition.key.last ?? ""
            #expect(try ConfigurationExample.text.contains(Regex("(?m)^[ #-]*\(key): ")), "\(definition.setting)")
        }
    }

    @Test func `no line is longer than a screen`() {
        for line in ConfigurationExample.text.split(separator: "\n") { #expect(line.count <= 160, "\(line)") }
    }
}

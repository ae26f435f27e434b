import Foundation
import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

@Suite struct FileWatchTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        try folder.write("one", to: "file")
    }

    @Test func `what nobody touches has not changed`() {
        #expect(!watch("file").hasChanged)
        #expect(!watch("missing").hasChanged)
        #expect(!watch().hasChanged)
    }

    @Test func `the same content, written again, is no change`() throws {
        let watch = watch("file")
        try folder.write("one", to: "file")
        try folder.replace("file", by: "one")
        #expect(!watch.hasChanged)
    }

    @Test func `a file that another one is renamed over has changed`() throws {
        let watch = watch("file")
        try folder.replace("file", by: "two")
        #expect(watch.hasChanged)
    }

    @Test func `a file that is written in place has changed, of the same length and at the same time too`() throws {
        let watch = watch("file")
        let before = try FileManager.default.attributesOfItem(atPath: folder["file"])
        let handle = try #require(FileHandle(forWritingAtPath: folder["file"]))
        try handle.write(contentsOf: Data("two".utf8))
        try handle.close()
        try FileManager.default.setAttributes(
            [.modificationDate: before[.modificationDate] as Any],
            ofItemAtPath: folder["file"]
        )
        #expect(watch.hasChanged)
    }

    @Test func `a symbolic link on the way that leads elsewhere is a change`() throws {
        // As Kubernetes mounts secrets: "tls.crt" is a link through the link "..data".
        try folder.write("old", to: "..1/tls.crt")
        try folder.write("new", to: "..2/tls.crt")
        try folder.link("..data", to: "..1")
        try folder.link("tls.crt", to: "..data/tls.crt")
        let watch = watch("tls.crt")
        #expect(!watch.hasChanged)
        try folder.link("..data", to: "..2")
        #expect(watch.hasChanged)
    }

    @Test func `a file that is missing for a while has changed, and is as it was when it is back`() throws {
        let watch = watch("file")
        try folder.remove("file")
        #expect(watch.hasChanged)
        try folder.write("one", to: "file")
        #expect(!watch.hasChanged)
    }

    @Test func `a further file that a pattern stands for is a change, and so is one less`() throws {
        try folder.write("a", to: "conf.d/a.yml")
        let watch = FileWatch(SourceFiles(patterns: [folder["conf.d/*.yml"]]))
        try folder.write("b", to: "conf.d/b.yml")
        #expect(watch.hasChanged)
        try folder.remove("conf.d/b.yml")
        #expect(!watch.hasChanged)
        try folder.remove("conf.d/a.yml")
        #expect(watch.hasChanged)
    }

    @Test func `a pipe in a file's place keeps nobody waiting`() throws {
        #expect(mkfifo(folder["pipe"], 0o600) == 0)
        #expect(!watch("pipe").hasChanged)
    }

    // MARK: Of a configuration

    @Test func `all files that a configuration is made of are known once it is read`() throws {
        try writeConfiguration()
        var watch = watch()
        _ = try watch.load(source).get()
        #expect(!watch.hasChanged)
        for (name, text) in [
            ("config.yml", "# another\n"), ("conf.d/a.yml", "# another\n"), ("key.pem", "k"), ("pass", "p"),
            ("server.pem", "c"), ("conf.d/b.yml", "devices:\n"),
        ] {
            let before = try? String(contentsOfFile: folder[name], encoding: .utf8)
            try folder.replace(name, by: text)
            #expect(watch.hasChanged, "\(name)")
            if let before { try folder.replace(name, by: before) } else { try folder.remove(name) }
            #expect(!watch.hasChanged, "\(name)")
        }
    }

    @Test func `a broken configuration has not changed either before one of its files does`() throws {
        try writeConfiguration(more: "gap: soon")
        var watch = watch()
        #expect(throws: FileProblems.self) { try watch.load(source).get() }
        #expect(!watch.hasChanged)
        try folder.replace("pass", by: "another")
        #expect(watch.hasChanged)
        #expect(throws: FileProblems.self) { try watch.load(source).get() }
        #expect(!watch.hasChanged)
        try writeConfiguration()
        #expect(watch.hasChanged)
        _ = try watch.load(source).get()
        #expect(!watch.hasChanged)
    }

    @Test func `files that options name are known`() throws {
        let device = WrittenDevice(settings: WrittenSettings(), listeners: [tls("server.pem", "key.pem")])
        let source = ConfigurationSource.options(WrittenServer(devices: [device]))
        try folder.write("c", to: "server.pem")
        var watch = watch()
        _ = try watch.load(source).get()
        try folder.write("k", to: "key.pem")
        #expect(watch.hasChanged)
    }

    private func watch(_ names: String...) -> FileWatch {
        FileWatch(SourceFiles(files: Set(names.map { folder[$0] })))
    }

    private func tls(_ certificate: String, _ key: String) -> WrittenSettings {
        var settings = WrittenSettings()
        settings[.tlsCertificate] = folder[certificate]
        settings[.tlsKey] = folder[key]
        return settings
    }

    private var source: ConfigurationSource { .file(folder["config.yml"], environment: [:]) }

    private func writeConfiguration(more: String = "gap: 1ms") throws {
        try folder.write("secret\n", to: "pass")
        try folder.write("", to: "server.pem")
        try folder.write("", to: "key.pem")
        try folder.write(
            "devices:\n  other: {target: '127.0.0.1:2', protocol: modbus, listeners: [{address: 5021}]}\n",
            to: "conf.d/a.yml"
        )
        try folder.write(
            """
            include: conf.d/*.yml
            devices:
              inverter:
                target: 127.0.0.1:1
                protocol: modbus
                \(more)
                listeners:
                  - address: 5020
                    tls: {certificate: server.pem, key: key.pem, key-passphrase-file: pass}

            """,
            to: "config.yml"
        )
    }
}

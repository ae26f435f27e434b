import Foundation
import SecureMux
import ServerSettings
import Testing

@Suite struct PassphraseTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test(arguments: [
        ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret\r\r\n", "secret\r"),
        ("secret\r", "secret\r"), ("first\nsecond\n", "first"), (" with spaces \n", " with spaces "),
        ("Schlüssel ✓\r\nmore", "Schlüssel ✓"), ("\u{FEFF}secret\r\n", "secret"),
    ])
    func `the passphrase is the first line without its end`(content: String, passphrase: String) throws {
        #expect(try read(Array(content.utf8)) == passphrase)
    }

    @Test func `what follows the first line may be anything`() throws {
        let content = Array("secret\n".utf8) + [0xFF, 0xFE] + [UInt8](repeating: 0x41, count: 100_000)
        #expect(try read(content) == "secret")
    }

    @Test(arguments: ["", "\n", "\r\n", "\nsecret\n"])
    func `an empty first line is refused`(content: String) throws {
        #expect(try refusal(of: Array(content.utf8)) == "is empty in its first line, where the passphrase is expected")
    }

    @Test func `a first line that is not UTF-8 is refused`() throws {
        #expect(try refusal(of: [0x73, 0xFC, 0x0A]) == "has a first line that is not UTF-8")
    }

    @Test func `a first line may have 1023 bytes`() throws {
        let longest = [UInt8](repeating: 0x41, count: 1023)
        #expect(try read(longest).utf8.count == 1023)
        #expect(try read(longest + [0x0A]).utf8.count == 1023)
        #expect(
            try refusal(of: longest + [0x41, 0x0A])
                == "has a first line that is longer than a passphrase may be, 1023 bytes"
        )
    }

    @Test func `a file that cannot be read is refused with its reason`() throws {
        #expect(try refusal(of: URL(fileURLWithPath: folder.path(""))) == "is a folder")
        let missing = URL(fileURLWithPath: folder.path("missing"))
        #expect(try refusal(of: missing) == "does not exist")
        let pipe = URL(fileURLWithPath: folder.path("pipe"))
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(try refusal(of: pipe) == "is a pipe and no file")
        #expect(try refusal(of: URL(fileURLWithPath: "/dev/zero")) == "is a device and no file")
    }

    private func read(_ content: [UInt8]) throws -> String {
        try Passphrase.read(folder.file(holding: content), for: .keyPassphraseFile)
    }

    /// What is said of a file after its option and its path.
    private func refusal(of content: [UInt8]) throws -> String {
        try refusal(of: URL(fileURLWithPath: folder.file(holding: content)))
    }

    private func refusal(of file: URL) throws -> String {
        let error = #expect(throws: ConfigurationError.self) {
            try Passphrase.read(file.path, for: .keyPassphraseFile)
        }
        let words = try #require(error?.namingOptions)
        let start = "--key-passphrase-file \(file.path) "
        #expect(words.hasPrefix(start))
        return String(words.dropFirst(start.count))
    }
}

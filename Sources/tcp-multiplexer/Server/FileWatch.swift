import SecureMux
import ServerSettings

/// Knows what the files hold that a configuration was read from, and finds out whether they hold something else.
///
/// Their content is compared, whatever they are and however they are replaced: by a rename, by another symbolic link on the way to
/// them, in place, on a file system that tells nobody. It reads, so it is nothing for an event loop.
struct FileWatch: Sendable {
    private var sources: SourceFiles
    private var contents: [String: Content]

    /// What a file holds, or why that cannot be known.
    private enum Content: Hashable, Sendable {
        case bytes(count: Int, hash: Int)
        case unreadable(RegularFile.Problem)

        /// More than any of a configuration's files may hold.
        private static let limit = (4 << 20) + 1

        init(of file: String) {
            do throws(RegularFile.Problem) {
                let bytes = try RegularFile(file, atMost: Self.limit).bytes
                var hasher = Hasher()
                bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
                self = .bytes(count: bytes.count, hash: hasher.finalize())
            } catch {
                self = .unreadable(error)
            }
        }
    }

    /// Knows what these files hold now.
    init(_ sources: SourceFiles) {
        self.sources = sources
        contents = Self.contents(of: sources)
    }

    /// Whether they hold something else than they did, or there are others.
    var hasChanged: Bool { contents != Self.contents(of: sources) }

    /// Reads a configuration, and knows from then on what the files hold that it was read from, be it right or wrong.
    mutating func load(_ source: ConfigurationSource) -> Result<ConfigurationSource.Loaded, any Error> {
        var attempts = 0
        while true {
            // Before they are read: what changes afterwards is a change.
            contents = Self.contents(of: sources)
            let result = Result { try source.load() }
            let made = source.sources(of: result)
            attempts += 1
            // Of files that it names for the first time nothing was known; a file that is never the same is read another time.
            if made == sources || attempts == 3 { return result }
            sources = made
        }
    }

    private static func contents(of sources: SourceFiles) -> [String: Content] {
        Dictionary(uniqueKeysWithValues: sources.all.map { ($0, Content(of: $0)) })
    }
}

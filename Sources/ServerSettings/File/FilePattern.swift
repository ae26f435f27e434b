#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files that a pattern such as `conf.d/*.yml` names, from the folder of the file on in which it is written.
struct FilePattern {
    /// In the order of their names.
    let files: [String]

    /// The files that there are now.
    init(_ pattern: String, relativeTo file: String) {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(Self.path(pattern, relativeTo: file), 0, nil, &found) == 0 else {
            files = []
            return
        }
        files = (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
    }

    /// Whether a pattern may stand for no file without being wrong.
    static func hasWildcard(_ pattern: String) -> Bool { pattern.contains { "*?[".contains($0) } }

    /// Where a file is that is named in another one.
    static func path(_ path: String, relativeTo file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}

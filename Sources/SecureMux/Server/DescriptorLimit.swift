import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How many descriptors this process may have open, of which each client's connection is one.
enum DescriptorLimit {
    /// How many descriptors are left for everything else when all clients are there: the look-up of a device's name,
    /// certificates that are read anew, a client that is told to leave while its successor is here.
    static let reserve = 16

    /// Raises the limit as far as this process may, and returns it.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return .max }
        let current = limit.rlim_cur
        #if canImport(Darwin)
            // More is refused there.
            limit.rlim_cur = min(limit.rlim_max, rlim_t(OPEN_MAX))
        #else
            limit.rlim_cur = limit.rlim_max
        #endif
        guard limit.rlim_cur > current, setrlimit(resource, &limit) == 0 else { return Int(clamping: current) }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many descriptors are open.
    static func used() -> Int {
        guard let directory = opendir("/dev/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Itself, its parent, and the descriptor that reads it.
        return max(count - 3, 0)
    }

    /// Shares `available` places for clients among listeners that ask for as many as `wanted` has; each gets at least one.
    static func share(_ available: Int, among wanted: [Int]) -> [Int] {
        let sum = wanted.reduce(0.0) { $0 + Double($1) }
        guard sum > Double(available) else { return wanted }
        return wanted.map { max(Int(Double(max(available, 0)) * Double($0) / sum), 1) }
    }

    #if canImport(Glibc)
        private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
        private static var resource: Int32 { Int32(RLIMIT_NOFILE) }
    #endif
}

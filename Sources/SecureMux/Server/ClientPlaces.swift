import Logging

/// How many clients each listener of a server may have: no more together than there are file descriptors for.
///
/// Otherwise clients could use up what the connections to the devices need.
struct ClientPlaces: Sendable {
    /// By device and listener, in the order of the configuration.
    private(set) var granted: [[Int]]
    private var spare: Int
    private let openFiles: Int

    /// Shares `available` places among listeners that ask for as many as `wanted` has.
    init(sharing available: Int, among wanted: [[Int]], openFiles: Int) {
        self.openFiles = openFiles
        var shares = DescriptorLimit.share(available, among: wanted.flatMap(\.self))[...]
        granted = wanted.map { listeners in listeners.map { _ in shares.popFirst() ?? 1 } }
        spare = max(available - Self.sum(granted), 0)
    }

    /// Shares what descriptors this process has left when all else is open that is needed without a client.
    ///
    /// - Throws: ``ServerError`` when none is left.
    init(for devices: [PreparedDevice], logger: Logger) throws(ServerError) {
        let openFiles = DescriptorLimit.raise()
        let wanted = devices.map { $0.listeners.map(\.configuration.rules.limits.clients) }
        let listeners = wanted.reduce(0) { $0 + $1.count }
        let available = openFiles - DescriptorLimit.used() - listeners - devices.count - DescriptorLimit.reserve
        guard available >= listeners else {
            throw ServerError(
                "only \(openFiles) files may be open, which leaves none for clients: raise the limit (ulimit -Hn, LimitNOFILE=)"
            )
        }
        self.init(sharing: available, among: wanted, openFiles: openFiles)
        warn(wanted: Self.sum(wanted), granted: Self.sum(granted), logger)
    }

    /// Grants a listener as many places as it asks for now, as far as there are any beside those of the others.
    mutating func replace(_ listener: Int, of device: Int, by wanted: Int, logger: Logger) -> Int {
        let available = granted[device][listener] + spare
        let places = max(min(wanted, available), 1)
        spare = max(available - places, 0)
        granted[device][listener] = places
        warn(wanted: wanted, granted: places, logger)
        return places
    }

    private func warn(wanted: Int, granted: Int, _ logger: Logger) {
        guard granted < wanted else { return }
        logger.warning(
            "fewer clients are accepted than configured, since each needs a file descriptor",
            metadata: [
                "clients": "\(granted)", "configured": "\(wanted)", "open-files": "\(openFiles)",
                "remedy": .sentence(
                    "raise the limit of open files (ulimit -Hn, LimitNOFILE=), or lower \(.maxClients)"
                ),
            ]
        )
    }

    private static func sum(_ places: [[Int]]) -> Int { places.reduce(0) { $0 + $1.reduce(0, +) } }
}

import Logging

/// How many clients each listener of a server may have: no more together than there are file descriptors for.
///
/// Otherwise clients could use up what the connections to the devices need.
struct ClientPlaces: Sendable {
    /// By device and listener, in the order of the configuration.
    let granted: [[Int]]

    /// The descriptors that are left when all else is open that is needed whatever is shared.
    struct Room: Sendable {
        let openFiles: Int
        /// For devices, listeners and clients.
        var free: Int

        /// What this process has left.
        init() {
            openFiles = DescriptorLimit.raise()
            free = openFiles - DescriptorLimit.used() - DescriptorLimit.reserve
        }

        /// Some are left of so many.
        init(openFiles: Int, free: Int) {
            (self.openFiles, self.free) = (openFiles, free)
        }
    }

    /// Nobody's.
    init() { granted = [] }

    /// Shares `available` places among listeners that ask for as many as `wanted` has.
    init(sharing available: Int, among wanted: [[Int]]) {
        var shares = DescriptorLimit.share(available, among: wanted.flatMap(\.self))[...]
        granted = wanted.map { listeners in listeners.map { _ in shares.popFirst() ?? 1 } }
    }

    /// Shares what descriptors there are; says so if they are fewer than wanted, and not the same as `before`.
    ///
    /// - Throws: ``ServerError`` when none is left.
    init(among wanted: [[Int]], of room: Room, before: ClientPlaces, logger: Logger) throws(ServerError) {
        let listeners = wanted.reduce(0) { $0 + $1.count }
        let available = room.free - listeners - wanted.count
        guard available >= listeners else {
            throw ServerError(
                "only \(room.openFiles) files may be open, which leaves none for clients: raise the limit (ulimit -Hn, LimitNOFILE=)"
            )
        }
        self.init(sharing: available, among: wanted)
        if granted != before.granted { warn(wanted: Self.sum(wanted), granted: Self.sum(granted), room, logger) }
    }

    private func warn(wanted: Int, granted: Int, _ room: Room, _ logger: Logger) {
        guard granted < wanted else { return }
        logger.warning(
            "fewer clients are accepted than configured, since each needs a file descriptor",
            metadata: [
                "clients": "\(granted)", "configured": "\(wanted)", "open-files": "\(room.openFiles)",
                "remedy": .sentence(
                    "raise the limit of open files (ulimit -Hn, LimitNOFILE=), or lower \(.maxClients)"
                ),
            ]
        )
    }

    private static func sum(_ places: [[Int]]) -> Int { places.reduce(0) { $0 + $1.reduce(0, +) } }
}

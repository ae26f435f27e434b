import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an error of accepting a client means.
enum AcceptError {
    /// Whether the system lacks what a further connection needs, so that it is better not to try again at once.
    static func isShortage(_ error: IOError) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode)
    }

    /// How long to wait until the next attempt; nil for no wait.
    static func pause(after error: IOError) -> TimeAmount? {
        isShortage(error) ? .seconds(1) : nil
    }
}

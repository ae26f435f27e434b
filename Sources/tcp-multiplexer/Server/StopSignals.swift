import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What each signal to stop asks for: the first one a drain, a second one the end at once.
struct StopSignals {
    enum Answer {
        case drain
        case ignore
        case stopAtOnce
    }

    /// Wrappers repeat a signal at once: coreutils' timeout signals its child, then the group that the child is in.
    static let repetition = Duration.milliseconds(250)

    /// When the first signal came.
    private var first: ContinuousClock.Instant?

    mutating func answer(at now: ContinuousClock.Instant) -> Answer {
        if let first { return now - first < Self.repetition ? .ignore : .stopAtOnce }
        first = now
        return .drain
    }

    /// The signals to wait for: SIGHUP is left alone where it is ignored, as `nohup` has it.
    static var trapped: [UnixSignal] {
        var hangUp = sigaction()
        let isIgnored = sigaction(SIGHUP, nil, &hangUp) == 0 && hangUp.isIgnored
        return [.sigterm, .sigint, .sigusr1] + (isIgnored ? [] : [.sighup])
    }
}

extension sigaction {
    fileprivate var isIgnored: Bool {
        #if canImport(Darwin)
            let handler = __sigaction_u.__sa_handler
        #else
            let handler = __sigaction_handler.sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

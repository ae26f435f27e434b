import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What each signal to stop asks for: the first one a drain, a second SIGTERM or SIGINT the end at once.
///
/// SIGHUP is no such second one, and does not make the next one a second one: service managers send it in addition to
/// another, and whoever hangs up a terminal wants no answer lost.
struct StopSignals {
    enum Kind {
        /// SIGTERM, SIGINT.
        case stop
        /// SIGHUP.
        case hangUp
    }

    enum Answer {
        case drain
        case ignore
        case stopAtOnce
    }

    /// Wrappers repeat a signal at once: coreutils' timeout signals its child, then the group that the child is in.
    static let repetition = Duration.milliseconds(250)

    private var isDraining = false
    /// When the first signal came that a further one could repeat.
    private var first: ContinuousClock.Instant?

    mutating func answer(to signal: Kind, at now: ContinuousClock.Instant) -> Answer {
        if signal == .stop {
            if let first {
                return now - first < Self.repetition ? .ignore : .stopAtOnce
            }
            first = now
        }
        guard !isDraining else { return .ignore }
        isDraining = true
        return .drain
    }

    /// The signals to wait for: SIGHUP is left alone where it is ignored, as `nohup` has it.
    static var trapped: [UnixSignal] {
        var hangUp = sigaction()
        let isIgnored = sigaction(SIGHUP, nil, &hangUp) == 0 && hangUp.isIgnored
        return [.sigterm, .sigint] + (isIgnored ? [] : [.sighup])
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

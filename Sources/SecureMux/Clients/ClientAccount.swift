import MultiplexerCore
import NIOCore

/// The account of one client: its unanswered requests, the memory of its messages, and its timeouts.
struct ClientAccount {
    /// How many requests were given to the driver and not yet answered.
    private(set) var unanswered = 0
    /// About how many bytes these take.
    private(set) var unansweredBytes = 0
    /// How much of its messages' memory the listener knows of.
    private var reservedBytes = 0
    private var timeouts = ClientTimeouts()
    private var observation = ClientTimeouts.Observation()

    /// How many bytes a client's requests, and its responses, may take uncounted: much more than those of most protocols.
    static let small = 32 << 10

    /// Whether the listener knows of any memory.
    var hasReserved: Bool { reservedBytes > 0 }

    /// How many bytes the client had not taken when it was looked at last.
    var unsent: Int { observation.unsent }

    /// The client sent a request that takes `bytes`.
    ///
    /// - Returns: Whether it was the first.
    mutating func asked(_ bytes: Int) -> Bool {
        defer { observation.requests += 1 }
        unanswered += 1
        unansweredBytes += bytes
        return observation.requests == 0
    }

    /// The client is given a response.
    mutating func responded() { observation.responses += 1 }

    /// A request is over.
    mutating func completed() {
        // They are answered in any order; on the average that is right.
        unansweredBytes -= unanswered > 1 ? unansweredBytes / unanswered : unansweredBytes
        unanswered -= 1
    }

    /// Counts what large messages take.
    ///
    /// - Returns: What the listener is to know from now on; nil if it does.
    mutating func memoryToReserve(requests: Int, responses: Int) -> Int? {
        let bytes = (requests > Self.small ? requests : 0) + (responses > Self.small ? responses : 0)
        guard bytes != reservedBytes else { return nil }
        reservedBytes = bytes
        return bytes
    }

    /// Checks whether anything of the client has lasted too long.
    mutating func check(
        _ progress: (unsent: Int, accepted: UInt64),
        isResponseDue: Bool,
        isRestDue: Bool,
        within limits: ClientLimits,
        at now: NIODeadline
    ) -> ClientTimeouts.Expired? {
        (observation.unsent, observation.accepted) = progress
        (observation.isResponseDue, observation.isRestDue) = (isResponseDue, isRestDue)
        return timeouts.check(observation, within: limits, at: now)
    }

    /// Whether the client is to be looked at again, even if it does nothing.
    func isWatched(within limits: ClientLimits) -> Bool { timeouts.isWatched(within: limits) }
}

/// The response that is looked for on a wire where bytes may come that belong to no frame.
package struct SoughtResponse: Sendable {
    /// The request in flight, else the last one: what repeats of it may be its answer.
    package let request: Request?
    /// Whether it is awaited; else what comes answers nothing.
    package let isAwaited: Bool
    /// What responses say.
    package let rules: any MessageRules
    /// How many bytes came before the request was sent.
    package let earlyBytes: Int
    /// Whether no byte came for as long as the silence lasts that tells frames apart.
    package var isSilent: Bool

    /// Whether a response that begins with these bytes repeats what the request says.
    func mayBegin(with message: Span<UInt8>) -> Bool {
        request.map { rules.response(message).correlation == $0.correlation } ?? false
    }
}

/// What a stream begins with where bytes may come that belong to no frame.
package enum ResponseFinding: Hashable, Sendable {
    /// A whole frame of this many bytes that repeats what the request says.
    case frame(Int)
    /// This many bytes are no such frame, nor the beginning of one.
    case noise(Int)
    /// The answer, damaged.
    case damage(ResponseDamage.Cause)
    /// More bytes are needed, or else a silence where that tells.
    case open(silenceTells: Bool)
}

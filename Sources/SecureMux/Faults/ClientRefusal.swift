/// Why a client is sent away by a handler that closes its connection itself; it travels as an error through the pipeline.
protocol ClientRefusal: Error {
    /// What it is counted by.
    var refusalKind: RefusalKind { get }
    /// What happened, a clause that starts with the client.
    var reason: String { get }
    /// What to do about it, a clause in the imperative.
    var remedy: Sentence { get }
    /// Whether there is probably nothing that somebody should put right.
    var isHarmless: Bool { get }
}

extension ClientRefusal {
    var isHarmless: Bool { false }
}

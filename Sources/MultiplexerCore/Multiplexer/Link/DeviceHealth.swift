/// What the device has shown since its last answer, by which the end of a connection is judged.
struct DeviceHealth {
    /// Connections in a row that failed.
    private(set) var failures = 0
    /// Requests in a row that the device let time out on this connection.
    private(set) var silences = 0
    /// Whether a connection failed, or a request timed out.
    private(set) var isAmiss = false
    /// Whether a connection that answered nothing was followed by another at once.
    private var hasSkippedBackoff = false

    /// This many requests in a row without an answer mean that the device is gone though its connection seems to stand.
    private static let silencesBeforeReplacement = 2

    /// A new connection is asked for.
    mutating func connects() { silences = 0 }

    /// The device let a request time out.
    ///
    /// - Returns: Whether it seems to be gone.
    mutating func fellSilent() -> Bool {
        silences += 1
        isAmiss = true
        return silences >= Self.silencesBeforeReplacement
    }

    /// A connection failed; a wait follows.
    mutating func failed() {
        failures += 1
        isAmiss = true
    }

    /// A connection that answered nothing is followed by another at once.
    mutating func skipsBackoff() { hasSkippedBackoff = true }

    /// Whether a connection that was asked and answered nothing is to be followed by a wait.
    func isFailure(blaming blame: Multiplexer.Blame, mayRepeat: Bool) -> Bool {
        switch blame {
        case .nobody: hasSkippedBackoff || !mayRepeat
        case .device: hasSkippedBackoff
        case .request: false
        }
    }
}

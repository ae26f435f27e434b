extension TLSRefusal {
    /// Whoever hangs up without a byte only looked whether the port is open.
    var isHarmless: Bool { self == .hungUp(.server(.off), heardFrom: false) }
}

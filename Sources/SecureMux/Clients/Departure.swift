/// Why a client that has done nothing wrong is to go.
enum Departure {
    /// Its address is not allowed any more.
    case notAllowed
    /// Its certificate, or that it has none, would be refused by now.
    case notTrusted(any ClientRefusal)
    /// Its listener is closed, or its clients are to speak otherwise.
    case dismissed
}

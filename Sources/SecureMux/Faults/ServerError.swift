/// Why a server cannot start, and what would help.
public struct ServerError: Error, CustomStringConvertible {
    /// The reason in words for the user.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

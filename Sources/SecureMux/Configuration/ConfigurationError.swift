/// A value of the configuration that cannot be used, and why.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in words for the user: the text, the reason, and what would be right.
    public let description: String

    /// An error that says this.
    public init(_ description: String) {
        self.description = description
    }
}

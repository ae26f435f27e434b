/// What is wrong with the settings of a protocol.
public struct InvalidSettings: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence without its full stop: what cannot be, and what can.
    public let description: String

    /// An error that says this.
    init(_ description: String) {
        self.description = description
    }
}

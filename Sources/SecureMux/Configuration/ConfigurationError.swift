/// A value of the configuration that cannot be used, or two that do not fit together, and why.
public struct ConfigurationError: SentenceError, Hashable, Sendable {
    /// What is wrong, in words for the user: the text, the reason, and what would be right.
    public let sentence: Sentence

    /// An error that says this.
    public init(_ sentence: Sentence) {
        self.sentence = sentence
    }
}

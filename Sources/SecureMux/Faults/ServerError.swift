/// Why a server cannot start, and what would help.
public struct ServerError: SentenceError {
    /// The reason in words for the user.
    public let sentence: Sentence

    init(_ sentence: Sentence) {
        self.sentence = sentence
    }
}

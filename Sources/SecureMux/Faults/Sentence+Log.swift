import Logging

extension Logger.MetadataValue {
    /// A sentence that keeps its settings, so that whoever writes the log can name them.
    static func sentence(_ sentence: Sentence) -> Self { .stringConvertible(sentence) }
}

extension Logger {
    /// Warns with a sentence; since a message is a text, one that names settings is also in the metadata, as `sentence`.
    func warn(_ sentence: Sentence) {
        warning("\(sentence)", metadata: sentence.namesSettings ? ["sentence": .sentence(sentence)] : nil)
    }
}

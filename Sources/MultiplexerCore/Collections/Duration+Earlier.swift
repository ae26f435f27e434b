/// The earlier of two times, of which there may be none.
func earlier(_ one: Duration?, _ other: Duration?) -> Duration? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
}

extension Duration {
    /// Later than any time there is.
    static let never = Duration.seconds(Int64.max)
}

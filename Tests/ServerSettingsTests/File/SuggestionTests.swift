import Testing

@testable import ServerSettings

@Suite struct SuggestionTests {
    private let known = ["timeout", "queue-timeout", "gap", "target", "listeners", "allow"]

    @Test(arguments: [
        ("timout", "timeout"), ("time-out", "timeout"), ("Timeout", "timeout"), ("gpa", "gap"), ("taget", "target"),
        ("queue_timeout", "queue-timeout"), ("listener", "listeners"), ("alow", "allow"),
    ])
    func `a word that is nearly right has a neighbour`(word: String, meant: String) {
        #expect(Suggestion.nearest(to: word, among: known) == meant)
    }

    @Test(arguments: ["", "x", "colour", "tls", "deny", String(repeating: "a", count: 100_000)])
    func `a word that is like none has none`(word: String) {
        #expect(Suggestion.nearest(to: word, among: known) == nil)
    }
}

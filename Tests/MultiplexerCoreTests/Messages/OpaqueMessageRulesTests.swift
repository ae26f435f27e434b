import MultiplexerCore
import Testing

@Suite struct OpaqueMessageRulesTests {
    let rules = OpaqueMessageRules()
    let line = Array("hello\n".utf8)

    // Trap T17: what cannot be read might be a write.
    @Test func `a request that cannot be read may write and is answered by anything`() {
        let request = rules.request(line)
        #expect(request.mayWrite)
        #expect(request.correlation == rules.correlation(ofResponse: Array("other\n".utf8)))
    }

    @Test(arguments: Failure.allCases)
    func `there is no way to say that a request failed`(_ failure: Failure) {
        #expect(rules.respond(toFailed: line, failure) == nil)
    }

    @Test func `a client that has closed its sending side still gets its answers`() {
        #expect(rules.allowsHalfClosure)
    }
}

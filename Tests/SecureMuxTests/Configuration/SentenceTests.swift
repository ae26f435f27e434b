import Logging
import Testing

@testable import SecureMux

@Suite struct SentenceTests {
    /// In the way of a file: `tls.client-ca: off`.
    private func inAFile(_ sentence: Sentence) -> String {
        sentence.rendered { setting, value in
            let key = "tls.\(setting.rawValue)"
            return switch value {
            case nil: key
            case .on: "\(key): yes"
            case .off: "\(key): no"
            case .text(let text): "\(key): \(text)"
            }
        }
    }

    @Test(
        arguments: [
            ("no setting at all", "no setting at all", "no setting at all"),
            ("a CA in \(.clientCA), or", "a CA in 'client-ca', or", "a CA in tls.client-ca, or"),
            ("set \(.unitIDs, "ignored")", "set 'unit-ids' ignored", "set tls.unit-ids: ignored"),
            ("give \(.broadcast, false)", "give 'broadcast' off", "give tls.broadcast: no"),
            ("give \(.broadcast, true)", "give 'broadcast' on", "give tls.broadcast: yes"),
            ("\(2) of \("them")", "2 of them", "2 of them"),
        ] as [(Sentence, String, String)]
    )
    func `whoever shows a sentence says what its settings are called`(sentence: Sentence, plain: String, file: String) {
        #expect(sentence.description == plain)
        #expect(inAFile(sentence) == file)
    }

    @Test func `sentences that say the same are equal, however they were put together`() {
        let (word, nothing) = ("key", "")
        let plain: Sentence = "give a key"
        #expect(plain == "give a \(word)\(nothing)" && plain == "give " + "a key")
        #expect(("" as Sentence) == "\(nothing)")
        #expect(("give \(.tlsKey)" as Sentence) != "give 'tls-key'")
    }

    @Test func `a sentence in another one keeps its settings`() {
        let inner: Sentence = "give \(.tlsKey)"
        #expect(inAFile("no key: \(inner)") == "no key: give tls.tls-key")
        #expect(inAFile("no key: " + inner) == "no key: give tls.tls-key")
    }

    @Test func `what an error says keeps its settings, whatever is known of its type`() {
        let error = ConfigurationError("give \(.tlsKey)")
        let unknown: any Error = error
        #expect(inAFile("no: \(error)") == "no: give tls.tls-key")
        #expect(inAFile("no: \(unknown)") == "no: give tls.tls-key")
        #expect(inAFile("no: \(InvalidText("it is empty"))") == "no: it is empty")
        #expect("\(error)" == "give 'tls-key'")
    }

    @Test func `a log carries a sentence with its settings`() throws {
        let refusal = HTTPRefusal(violation: .tooMuchWithOthers)
        guard case .stringConvertible(let value) = Logger.MetadataValue.sentence(refusal.remedy) else {
            Issue.record("it is a text")
            return
        }
        let sentence = try #require(value as? Sentence)
        #expect(inAFile(sentence) == "let it send less at once, or raise tls.message-memory")
    }

    @Test func `a warning that names settings is in the metadata too, and no other one is`() {
        let log = RecordedLog()
        log.logger.warn("give \(.ca) the one that signed it")
        log.logger.warn("renew it")
        #expect(
            log.lines == [
                "warning give 'ca' the one that signed it sentence=give 'ca' the one that signed it",
                "warning renew it",
            ]
        )
    }

    @Test func `names of settings are plain words`() {
        for setting in Setting.allCases {
            #expect(setting.rawValue.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil)
        }
    }
}

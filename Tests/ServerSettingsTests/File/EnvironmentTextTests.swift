import SecureMux
import Testing

@testable import ServerSettings

@Suite struct EnvironmentTextTests {
    private let environment = EnvironmentText(variables: ["HOST": "inverter", "EMPTY": "", "DOLLARS": "${HOST} $$"])

    @Test(arguments: [
        ("", ""), ("nothing", "nothing"), ("${HOST}", "inverter"), ("a${HOST}b${HOST}", "ainverterbinverter"),
        ("${NONE:-here}", "here"), ("${HOST:-here}", "inverter"), ("${EMPTY:-here}", "here"), ("${EMPTY}", ""),
        ("${NONE:-}", ""), ("$$", "$"), ("$${HOST}", "${HOST}"), ("${DOLLARS}", "${HOST} $$"),
        ("${NONE:-a:-b}", "a:-b"),
        ("50% of }", "50% of }"),
    ])
    func `variables are put in, once`(text: String, expanded: String) throws {
        #expect(try environment.expanded(text) == expanded)
    }

    @Test(arguments: [
        ("${NONE}", "the variable NONE is not set"), ("${HOST", "has no '}'"), ("$HOST", "a '$' alone"),
        ("5$", "a '$' alone"),
        ("${}", "names no variable"), ("${1}", "names no variable"), ("${A B}", "names no variable"),
        ("${HOST:+x}", "names no variable"),
    ])
    func `what is no variable is refused`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try environment.expanded(text) }
        #expect(error?.description.contains(reason) == true)
    }
}

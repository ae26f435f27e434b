/// What is wrong with one part of a configuration.
package struct ConfigurationProblem: Hashable, Sendable {
    /// Which of the devices it is about; nil where it is about several.
    package var device: Int?
    /// Which of the device's listeners it is about; nil where it is about the device.
    package var listener: Int?
    /// What is wrong, and what would be right.
    package var error: ConfigurationError
}

/// Everything that is wrong with a configuration, found rule by rule: who repairs a file wants to hear all of it at once.
struct ConfigurationProblems {
    private(set) var all: [ConfigurationProblem] = []
    /// What the rules are about that are checked now.
    var device: Int?
    var listener: Int?

    /// Keeps what a rule refuses.
    mutating func check(_ rule: @autoclosure () throws(ConfigurationError) -> Void) {
        do {
            try rule()
        } catch {
            add(error)
        }
    }

    /// Keeps what is said of something that is so and should not be.
    mutating func refuse(_ sentence: @autoclosure () -> Sentence, if isWrong: Bool = true) {
        if isWrong { add(ConfigurationError(sentence())) }
    }

    private mutating func add(_ error: ConfigurationError) {
        all.append(ConfigurationProblem(device: device, listener: listener, error: error))
    }
}

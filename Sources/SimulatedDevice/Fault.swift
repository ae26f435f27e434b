package import SecureMux

/// Something that a device does wrong.
package enum Fault: String, CaseIterable, Hashable, Sendable {
    /// The answer comes later; other requests are answered meanwhile.
    case late
    /// The request is carried out, and not answered.
    case lost
    /// The request is neither carried out nor answered.
    case swallow
    /// The answer comes twice.
    case duplicate
    /// An answer with a transaction id that nobody used comes instead of the right one.
    case wrongID = "wrong-id"
    /// An answer of another unit comes instead of the right one.
    case wrongUnit = "wrong-unit"
    /// An answer with another function code comes instead of the right one.
    case wrongFunction = "wrong-function"
    /// Random bytes come instead of the answer.
    case garbage
    /// The first half of the answer comes, then the connection is closed.
    case half
    /// The request is carried out, and the connection closed without an answer.
    case close
    /// A message that nobody asked for comes in addition to the answer.
    case unsolicited
    /// A connection is accepted and never hears a word.
    case silent
    /// A connection is closed as soon as it is accepted.
    case refuse

    /// Whether it befalls connections; the others befall requests.
    package var befallsConnections: Bool {
        self == .silent || self == .refuse
    }
}

/// How often a device does something wrong.
package struct FaultRule: Hashable, Sendable {
    package var fault: Fault
    /// 0 to 1: of the requests, or of the connections where the fault befalls those.
    package var probability: Double
    /// How much later a late answer comes.
    package var delay: Duration

    package init(_ fault: Fault, probability: Double, delay: Duration = .seconds(1)) {
        self.fault = fault
        self.probability = probability
        self.delay = delay
    }

    /// Reads `duplicate=0.5%` or `late=1%:800ms`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    package init(parsing text: String) throws(ConfigurationError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let fault = Fault(rawValue: String(parts[0])) else {
            let names = Fault.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("'\(parts[0])' is not a fault: \(names)")
        }
        guard parts.count == 2 else {
            throw ConfigurationError("'\(text)' does not say how often: write \(fault.rawValue)=1%")
        }
        let settings = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(fault, probability: try Self.probability(settings[0]))
        guard settings.count == 2 else { return }
        guard fault == .late else {
            throw ConfigurationError("'\(text)': only late takes a duration, as in late=1%:800ms")
        }
        delay = try Duration(parsing: String(settings[1]))
    }

    private static func probability(_ text: Substring) throws(ConfigurationError) -> Double {
        let number = text.dropLast()
        guard text.last == "%", number.allSatisfy({ $0 == "." || $0.isASCII && $0.isNumber }),
            let percent = Double(number), (0...100).contains(percent)
        else {
            throw ConfigurationError("'\(text)' is not a probability: write it in percent, such as 0.5%, 100% at most")
        }
        return percent / 100
    }
}

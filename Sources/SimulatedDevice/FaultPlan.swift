import MultiplexerCore
package import SecureMux

/// Decides which requests and connections something befalls: the same for the same seed and order of arrival.
package struct FaultPlan: Sendable {
    private var requests: Lots
    private var connections: Lots
    private var bytes: SplitMix64

    /// A plan by these rules, in whatever order they stand.
    ///
    /// - Throws: ``ConfigurationError`` where a fault has two rules, or the probabilities sum up to more than 1.
    package init(_ rules: [FaultRule], seed: UInt64) throws(ConfigurationError) {
        for fault in Fault.allCases where rules.count(where: { $0.fault == fault }) > 1 {
            throw ConfigurationError("\(fault.rawValue) is given twice")
        }
        requests = try Lots(rules.filter { !$0.fault.befallsConnections }, "requests", seed: seed)
        connections = try Lots(rules.filter(\.fault.befallsConnections), "connections", seed: seed ^ 1 << 63)
        bytes = SplitMix64(seed: seed ^ 1 << 62)
    }

    /// The plan of a device that does nothing wrong.
    package static let none = FaultPlan()

    private init() {
        (requests, connections, bytes) = (Lots(), Lots(), SplitMix64(seed: 0))
    }

    /// What befalls the next connection.
    package mutating func faultOfNextConnection() -> FaultRule? {
        connections.draw()
    }

    /// What befalls the next request.
    package mutating func faultOfNextRequest() -> FaultRule? {
        requests.draw()
    }

    /// What a device may say that has lost its mind: 1 to 64 bytes.
    package mutating func garbage() -> [UInt8] {
        (0..<Int.random(in: 1...64, using: &bytes)).map { _ in UInt8(truncatingIfNeeded: bytes.next()) }
    }
}

/// Draws one of some rules, or none, by their probabilities.
private struct Lots: Sendable {
    private let rules: [FaultRule]
    private var generator: SplitMix64

    init() {
        (rules, generator) = ([], SplitMix64(seed: 0))
    }

    init(_ rules: [FaultRule], _ what: String, seed: UInt64) throws(ConfigurationError) {
        // A hair more, for sums such as that of ten times 10%.
        guard rules.map(\.probability).reduce(0, +) <= 1 + 1e-9 else {
            throw ConfigurationError("the faults of \(what) sum up to more than 100%")
        }
        // The order in which they were given makes no difference.
        self.rules = rules.sorted { $0.fault.rawValue < $1.fault.rawValue }
        generator = SplitMix64(seed: seed)
    }

    mutating func draw() -> FaultRule? {
        guard !rules.isEmpty else { return nil }
        var lot = Double(generator.next() >> 11) / Double(1 << 53 as UInt64)
        for rule in rules {
            if lot < rule.probability { return rule }
            lot -= rule.probability
        }
        return nil
    }
}

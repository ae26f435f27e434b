import SecureMux
import SimulatedDevice
import Testing

@Suite struct FaultPlanTests {
    private static let rules = [
        FaultRule(.late, probability: 0.1, delay: .milliseconds(800)), FaultRule(.duplicate, probability: 0.05),
        FaultRule(.silent, probability: 0.2),
    ]

    @Test func `a device without rules does nothing wrong`() {
        var plan = FaultPlan.none
        for _ in 0..<1_000 {
            #expect(plan.faultOfNextRequest() == nil)
            #expect(plan.faultOfNextConnection() == nil)
        }
    }

    @Test func `faults come as often as their rules say, each with its delay`() throws {
        var plan = try FaultPlan(Self.rules, seed: 7)
        let drawn = (0..<100_000).compactMap { _ in plan.faultOfNextRequest() }
        let late = drawn.filter { $0 == Self.rules[0] }.count
        let duplicate = drawn.filter { $0 == Self.rules[1] }.count
        #expect((9_500...10_500).contains(late))
        #expect((4_600...5_400).contains(duplicate))
        #expect(late + duplicate == drawn.count)
        let silent = (0..<10_000).count { _ in plan.faultOfNextConnection()?.fault == .silent }
        #expect((1_800...2_200).contains(silent))
    }

    @Test func `a seed repeats itself, whatever the order of the rules, and another one differs`() throws {
        func drawn(_ rules: [FaultRule], seed: UInt64) throws -> [Fault?] {
            var plan = try FaultPlan(rules, seed: seed)
            return (0..<1_000).map { _ in plan.faultOfNextRequest()?.fault }
        }
        let first = try drawn(Self.rules, seed: 7)
        #expect(try drawn(Self.rules.reversed(), seed: 7) == first)
        #expect(try drawn(Self.rules, seed: 8) != first)
    }

    @Test func `connections do not change what befalls requests`() throws {
        var plan = try FaultPlan(Self.rules, seed: 7)
        var other = plan
        for _ in 0..<1_000 {
            _ = other.faultOfNextConnection()
            #expect(plan.faultOfNextRequest() == other.faultOfNextRequest())
        }
    }

    @Test func `what is to happen each time does`() throws {
        var plan = try FaultPlan([FaultRule(.late, probability: 0.4), FaultRule(.lost, probability: 0.6)], seed: 1)
        for _ in 0..<1_000 {
            #expect(plan.faultOfNextRequest() != nil)
        }
        plan = try FaultPlan([FaultRule(.lost, probability: 0)], seed: 1)
        for _ in 0..<1_000 {
            #expect(plan.faultOfNextRequest() == nil)
        }
    }

    @Test func `garbage has 1 to 64 bytes`() throws {
        var plan = try FaultPlan([], seed: 3)
        let lengths = (0..<2_000).map { _ in plan.garbage().count }
        #expect(lengths.min() == 1)
        #expect(lengths.max() == 64)
    }

    @Test(arguments: [
        (
            [FaultRule(.late, probability: 0.6), FaultRule(.lost, probability: 0.5)],
            "requests sum up to more than 100%"
        ),
        ([FaultRule(.silent, probability: 0.6), FaultRule(.refuse, probability: 0.5)], "connections sum up to more"),
        ([FaultRule(.late, probability: 0.1), FaultRule(.late, probability: 0.1)], "late is given twice"),
    ])
    func `rules that contradict each other are refused with the reason`(rules: [FaultRule], reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try FaultPlan(rules, seed: 0) }
        #expect(error?.description.contains(reason) == true)
    }

    @Test(arguments: [
        ("late=1%:800ms", FaultRule(.late, probability: 0.01, delay: .milliseconds(800))),
        ("late=1%", FaultRule(.late, probability: 0.01, delay: .seconds(1))),
        ("duplicate=0.5%", FaultRule(.duplicate, probability: 0.005)),
        ("wrong-function=100%", FaultRule(.wrongFunction, probability: 1)),
        ("silent=0%", FaultRule(.silent, probability: 0)),
    ])
    func `a rule is read as it is written`(text: String, rule: FaultRule) throws {
        #expect(try FaultRule(parsing: text) == rule)
    }

    @Test(arguments: [
        ("tired=1%", "'tired' is not a fault: late, lost"), ("", "'' is not a fault"),
        ("late", "does not say how often"),
        ("late=1", "'1' is not a probability"), ("late=%", "'%' is not a probability"),
        ("late=-1%", "'-1%' is not a probability"), ("late=101%", "100% at most"),
        ("late=1e1%", "is not a probability"),
        ("late=nan%", "is not a probability"), ("late=1%:soon", "'soon' is not a duration"),
        ("lost=1%:1s", "only late takes a duration"),
    ])
    func `what is no rule is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try FaultRule(parsing: text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }
}

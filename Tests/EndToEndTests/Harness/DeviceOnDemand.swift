/// A Modbus/TCP device that answers when it is told to: `Devices/on_demand.py`.
///
/// Meanwhile requests can be made to wait in the order that a test wants, on a machine of any speed.
struct DeviceOnDemand {
    let program: RunningProgram
    let port: Int

    /// From this address on it reads how many reads of the unit it has carried out.
    static let counter = 60_000
    /// From this address on it answers with exception 2.
    static let illegal = 65_000

    static func start() async throws -> DeviceOnDemand {
        let program = try RunningProgram.device("on_demand.py", [], hasInput: true)
        return DeviceOnDemand(program: program, port: try await program.portSaid())
    }

    /// What it was asked so far, in this order: "unit=1 0300000001".
    var asked: [String] { program.lines(containing: "asked ").map(Self.request) }

    /// Waits until it was asked `count` requests, and returns them.
    @discardableResult
    func asked(_ count: Int) async throws -> [String] {
        try await program.lines(count, containing: "asked ").map(Self.request)
    }

    /// Lets it answer `count` requests more.
    func answer(_ count: Int) throws { try program.tell("answer \(count)") }

    /// Lets it answer all requests from now on.
    func answerAll() throws { try program.tell("answer all") }

    private static func request(_ line: String) -> String {
        line.split(separator: " ").dropFirst(2).joined(separator: " ")
    }
}

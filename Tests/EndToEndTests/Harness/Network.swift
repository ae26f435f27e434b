import Foundation

/// Two hosts in network namespaces of their own, and a cable between them: `Devices/cable.py`.
struct Network {
    /// What a packet has to pass from one host to the other.
    private let cable: RunningProgram
    private let options: [Host: [String]]

    enum Host: String {
        case near, far

        var address: String {
            switch self {
            case .near: "10.77.0.1"
            case .far: "10.77.0.2"
            }
        }
    }

    static func start() async throws -> Network {
        let cable = try RunningProgram(Tools.python(), [Tools.device("cable.py")], hasInput: true)
        var options: [Host: [String]] = [:]
        for host in [Host.near, .far] {
            let ready = "ready \(host.rawValue) "
            options[host] = try await cable.line(containing: ready).text
                .dropFirst(ready.count).split(separator: " ").map(String.init)
        }
        return Network(cable: cable, options: options)
    }

    /// Why this machine cannot have such a network; nil if it can.
    static func obstacle() async throws -> String? {
        try await found.value
    }

    private static let found = Task { () -> String? in
        let cable = try RunningProgram(Tools.python(), [Tools.device("cable.py")])
        try await cable.end()
        guard let obstacle = cable.lines(containing: "impossible: ").first else { return nil }
        print("no faults of the network were tested, \(obstacle)")
        return obstacle
    }

    /// Runs a program on one of the hosts.
    func run(
        _ host: Host,
        _ executable: URL,
        _ arguments: [String],
        hasInput: Bool = false
    ) throws -> RunningProgram {
        try RunningProgram(
            Tools.system("nsenter"),
            options[host, default: []] + [executable.path] + arguments,
            hasInput: hasInput
        )
    }

    /// One of the programs in `Clients`, on one of the hosts.
    func client(_ host: Host, _ name: String, _ arguments: [String], hasInput: Bool = false) throws -> RunningProgram {
        try run(host, Tools.python(), [Tools.client(name)] + arguments, hasInput: hasInput)
    }

    /// A simulated device on one of the hosts.
    func device(_ host: Host, _ arguments: [String] = [], port: Int = 0) async throws -> Device {
        let address = "\(host.address):\(port)"
        let program = try run(host, Tools.multiplexer(), ["simulate", "-l", address] + arguments)
        return Device(program: program, port: try await program.port(announcedBy: "simulating"))
    }

    /// The server under test on the near host, to be reached at all of its addresses.
    func server(_ device: Device, on host: Host = .far, _ options: [String]) async throws -> Server {
        let target = "\(host.address):\(device.port)"
        let program = try run(
            .near,
            Tools.multiplexer(),
            ["server", "-p", "modbus", "-t", target, "-l", "0.0.0.0:0"] + options
        )
        return Server(program: program, plainPort: try await program.port(announcedBy: "plain TCP"), tlsPort: 0)
    }

    /// Does something to the cable: `hole`, `pull`, `open`, `loss 5`, `delay 20`, as `Devices/cable.py` says.
    func tell(_ order: String) async throws {
        let start = cable.lineCount
        try cable.tell(order)
        try await cable.line(containing: "done \(order)", from: start)
    }
}

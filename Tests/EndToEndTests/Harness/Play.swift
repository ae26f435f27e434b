/// A device that follows a script, the server under test, and clients that ask when they are told to.
struct Play {
    let device: IndependentDevice
    let server: Server
    let clients: DictatedClients
    private let clientOptions: [String]

    /// What the device speaks: an option of `Devices/scripted.py`.
    enum Wire: String {
        case modbus, byFunction = "by-function", serial, any
    }

    /// Sets a play.
    ///
    /// Each line of the script is a rule, as `Devices/scripted.py` says; options are the server's.
    /// Without options for it, server and clients speak Modbus/TCP with a device on a Modbus wire.
    static func set(
        _ script: String...,
        wire: Wire = .modbus,
        deviceOptions: [String] = [],
        clientOptions: [String] = [],
        options: [String] = []
    ) async throws -> Play {
        try await set(
            script: script,
            wire: wire,
            deviceOptions: deviceOptions,
            clientOptions: clientOptions,
            options: options
        )
    }

    static func set(
        script: [String],
        wire: Wire = .modbus,
        deviceOptions: [String] = [],
        clientOptions: [String] = [],
        options: [String] = []
    ) async throws -> Play {
        let device = try await IndependentDevice.start(
            "scripted.py",
            ["--wire", wire.rawValue] + deviceOptions + ["--"] + script
        )
        let spoken = options.contains("-p") ? [] : ["-p", "modbus"]
        let translated = wire == .serial ? ["--target-protocol", "modbus-serial"] : []
        let server = try await Server.start(port: device.port, spoken + translated + options)
        return Play(device: device, server: server, clients: try .start(), clientOptions: clientOptions)
    }

    /// What the device was asked so far, from the unit on.
    var asked: [String] {
        device.program.lines(containing: "asked ").compactMap { $0.split(separator: " ").last.map(String.init) }
    }

    /// Waits until it was asked `count` requests.
    func asked(_ count: Int) async throws {
        try await device.program.lines(count, containing: "asked ")
    }

    /// Lets clients with these names connect.
    func open(_ names: String...) async throws {
        for name in names {
            try clients.program.tell((["open", name, "\(server.plainPort)"] + clientOptions).joined(separator: " "))
            try await clients.program.line(containing: "\(name) connected")
        }
    }

    /// Has a client send these bytes in one go.
    func send(_ name: String, _ bytes: String...) throws {
        try clients.send(name, bytes.map(Hex.plain))
    }

    /// Has a client ask, and returns the next thing that it receives.
    ///
    /// - Throws: when nothing comes in time.
    func answer(to name: String, _ bytes: String, within limit: Duration = .seconds(20)) async throws -> String {
        let before = clients.received(name).count
        try send(name, bytes)
        return try await clients.received(name, before + 1, within: limit).last ?? ""
    }

    /// What is soon, beside a device that has 5 seconds for an answer, on a machine that is busy with other things.
    static let soon = Duration.seconds(3)
}

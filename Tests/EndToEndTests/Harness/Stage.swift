/// A device that answers when it is told to, the server under test, and clients that ask when they are told to.
struct Stage {
    let device: DeviceOnDemand
    let server: Server
    let clients: DictatedClients

    static func set(_ options: String...) async throws -> Stage {
        try await set(options)
    }

    /// Sets the stage with a server that tells of each request, and is patient with the device.
    static func set(_ options: [String]) async throws -> Stage {
        let device = try await DeviceOnDemand.start()
        let spoken = options.contains("-p") ? [] : ["-p", "modbus"]
        let server = try await Server.start(port: device.port, spoken + ["-d", "--timeout", "60s"] + options)
        return Stage(device: device, server: server, clients: try .start())
    }

    /// Lets clients with these names connect.
    func open(_ names: String...) async throws {
        try await clients.open(names, at: server.plainPort)
    }

    /// Keeps the device busy with a read of another unit, until it is told to answer.
    func occupyDevice() async throws {
        try await open("occupant")
        try clients.send("occupant", Hex.frame(0xFFFF, unit: 200, Hex.read(0)))
        try await device.asked(1)
        try await server.hasTaken(1)
    }

    /// What the device was asked beside ``occupyDevice()``.
    func askedBeside(_ count: Int) async throws -> [String] {
        Array(try await device.asked(count + 1).dropFirst())
    }

    /// Has a client ask, and waits until the server has taken the request, the `count`th of all.
    func ask(_ name: String, _ frames: String..., as count: Int) async throws {
        try clients.send(name, frames)
        try await server.hasTaken(count)
    }

    /// Has clients leave, and waits until the server has noticed.
    func leave(_ names: String..., by leaving: DictatedClients.Leaving = .close) async throws {
        try await leave(names, by: leaving)
    }

    func leave(_ names: [String], by leaving: DictatedClients.Leaving) async throws {
        for name in names { try clients.leave(name, by: leaving) }
        try await server.program.lines(
            names.count,
            containing: leaving == .close ? "client left" : "client connection failed"
        )
    }
}

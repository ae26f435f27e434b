import Foundation

/// The simulated device, in a process of its own.
struct Device {
    let program: RunningProgram
    let port: Int

    static func start(_ options: String..., port: Int = 0) async throws -> Device {
        try await start(options, port: port)
    }

    static func start(_ options: [String], port: Int = 0) async throws -> Device {
        let program = try RunningProgram.multiplexer(["simulate", "-l", "127.0.0.1:\(port)"] + options)
        return Device(program: program, port: try await program.port(announcedBy: "simulating"))
    }

    /// How many connections it refused because it had one already.
    var refusedConnections: Int {
        program.lines(containing: "closed a further connection").count
    }
}

/// A device that is not ours: one of the programs in `Devices`.
struct IndependentDevice {
    let program: RunningProgram
    let port: Int

    static func start(_ name: String, _ options: String...) async throws -> IndependentDevice {
        try await start(name, options)
    }

    static func start(_ name: String, _ options: [String]) async throws -> IndependentDevice {
        let program = try RunningProgram.device(name, options)
        return IndependentDevice(program: program, port: try await program.portSaid())
    }

    /// How many connections it took, and how many further ones it closed.
    var connections: (taken: Int, refused: Int) {
        (program.lines(containing: "connected").count, program.lines(containing: "refused").count)
    }
}

/// The server under test, on ports that the system chose.
struct Server {
    let program: RunningProgram
    let plainPort: Int
    /// 0 without TLS.
    let tlsPort: Int

    static func start(_ device: Device, _ options: String...) async throws -> Server {
        let program = try RunningProgram.multiplexer(
            ["server", "-p", "modbus", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0"] + options
        )
        return Server(program: program, plainPort: try await program.port(announcedBy: "plain TCP"), tlsPort: 0)
    }

    /// A server for a device that is not ours, with these options for what is spoken.
    static func start(port: Int, _ options: String...) async throws -> Server {
        try await start(port: port, options)
    }

    static func start(port: Int, _ options: [String]) async throws -> Server {
        let program = try RunningProgram.multiplexer(
            ["server", "-t", "127.0.0.1:\(port)", "-l", "127.0.0.1:0"] + options
        )
        return Server(program: program, plainPort: try await program.port(announcedBy: "plain TCP"), tlsPort: 0)
    }

    /// A server with a TLS listener that requires client certificates beside the plain one.
    static func startWithTLS(_ device: Device, _ options: [String] = []) async throws -> Server {
        let certificates = try await Certificates.made()
        let tls = [
            "--tls-listen", "127.0.0.1:0", "--client-ca", certificates["ca.crt"],
            "--tls-certificate", certificates["server.crt"], "--tls-key", certificates["server.key"],
        ]
        let spoken = options.contains("-p") ? [] : ["-p", "modbus"]
        let program = try RunningProgram.multiplexer(
            ["server", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0"] + spoken + tls + options
        )
        return Server(
            program: program,
            plainPort: try await program.port(announcedBy: "plain TCP"),
            tlsPort: try await program.port(announcedBy: "TLS with client certificates")
        )
    }
}

extension Server {
    /// Waits until clients have asked `count` requests whose description contains `part`; it takes a server with `-d`.
    func hasTaken(_ count: Int, _ part: String = " ") async throws {
        try await program.lines(count, containing: " asks=", part)
    }

    #if os(Linux)
        /// What it occupies in memory, in bytes.
        func residentMemory() throws -> Int {
            try memory("VmRSS")
        }

        /// The most that it has occupied so far.
        func peakMemory() throws -> Int {
            try memory("VmHWM")
        }

        private func memory(_ name: String) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(program.pid)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            guard let kilobytes = line?.firstMatch(of: /([0-9]+) kB/).flatMap({ Int($0.1) }) else {
                throw Disappointment(description: "no \(name) in: \(status)")
            }
            return kilobytes << 10
        }
    #endif

    /// The backoff step that was in force at some time; it takes a server with `-v`.
    func retryDelay(until time: ContinuousClock.Instant) -> Duration? {
        let line = program.lines.last { $0.time <= time && $0.text.contains("retry-in=") }
        guard let delay = line?.text.firstMatch(of: /retry-in=([0-9.]+)(m?s)/), let number = Double(delay.1) else {
            return nil
        }
        return delay.2 == "ms" ? .seconds(number / 1_000) : .seconds(number)
    }
}

extension RunningProgram {
    /// The port that a program of `Devices` says it listens on.
    func portSaid() async throws -> Int {
        let line = try await line(containing: "listening").text
        guard let port = line.split(separator: " ").last.flatMap({ Int($0) }) else {
            throw Disappointment(description: "no port in: \(line)")
        }
        return port
    }

    /// The port in the line that says where it listens.
    func port(announcedBy words: String) async throws -> Int {
        let line = try await line(containing: "address=", words).text
        let address = line.firstMatch(of: /address=\S*:([0-9]+)/)
        guard let port = address.flatMap({ Int($0.1) }) else {
            throw Disappointment(description: "no port in: \(line)")
        }
        return port
    }
}

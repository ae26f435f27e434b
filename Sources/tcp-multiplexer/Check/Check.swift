import ArgumentParser
import Foundation
import SecureMux
import ServerSettings

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what is wrong with a configuration, or may not be meant, without listening.",
        discussion: """
            It reads a file or options as 'server' would, with all files that they name. Examples:

              tcp-multiplexer check --config /etc/tcp-multiplexer/config.yml
              tcp-multiplexer check --config config.yml --connect --read 40000

            Exit codes: 0 nothing is wrong, 1 something is, 2 something may not be meant and --strict was given.
            """
    )

    @OptionGroup
    var server: Serve

    @OptionGroup(title: "The check")
    var options: CheckOptions

    func run() async throws {
        let source = server.source
        let loaded: ConfigurationSource.Loaded
        do {
            loaded = try source.load()
        } catch let problems as FileProblems {
            return try report(
                problems.all.map { .init(severity: .error, place: $0, sentence: $0.sentence, names: .keys) }
            )
        } catch {
            let sentence = (error as? any SentenceError)?.sentence ?? "\(error)"
            return try report([.init(severity: .error, place: nil, sentence: sentence, names: source.names)])
        }
        var audit = Audit(loaded, source.names)
        audit.run()
        await checkPorts(of: loaded.configuration, &audit)
        if options.connect { await checkDevices(of: loaded.configuration, &audit) }
        try report(audit.findings)
    }

    private func checkPorts(of configuration: ServerConfiguration, _ audit: inout Audit) async {
        for (number, device) in configuration.devices.enumerated() {
            for (index, listener) in device.listeners.enumerated() {
                guard let objection = await PortCheck.objection(to: listener.address) else { continue }
                // The server that is to be reloaded has it.
                audit.add(
                    .warning,
                    "\(.listen): \(objection) (or it is this server, which runs already)",
                    number,
                    index
                )
            }
        }
    }

    private func checkDevices(of configuration: ServerConfiguration, _ audit: inout Audit) async {
        let check = DeviceCheck(request: options.read, unit: options.unit)
        for (number, device) in configuration.devices.enumerated() {
            let answer = await check.answer(of: device)
            audit.add(answer.isRight ? .note : .error, "\(.device, "\(device.address)") \(answer.words)", number)
        }
    }

    /// Says what was found, and how the command ends.
    private func report(_ findings: [CheckFinding]) throws {
        func count(_ severity: CheckFinding.Severity) -> Int { findings.count { $0.severity == severity } }
        let (errors, warnings) = (count(.error), count(.warning))
        if options.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let report: JSON = [
                "errors": .number(errors), "warnings": .number(warnings), "findings": .array(findings.map(\.json)),
            ]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            for finding in findings { print(finding) }
            print("\(Self.counted(errors, "error")), \(Self.counted(warnings, "warning"))")
        }
        if errors > 0 { throw ExitCode(1) }
        if warnings > 0, options.strict { throw ExitCode(2) }
    }

    private static func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
}

/// How much is checked, and how it is said.
struct CheckOptions: ParsableArguments {
    @Flag(help: "Let warnings count: exit with 2 where there is one.")
    var strict = false

    @Flag(help: "Print an object of JSON instead of lines: errors, warnings, findings.")
    var json = false

    @Flag(help: "Connect to each device too, and read of those that speak Modbus what --read says.")
    var connect = false

    @Option(help: ArgumentHelp("The unit id that is asked, 0 to 255.", valueName: "id"))
    var unit: UInt8 = 1

    @Option(
        help: ArgumentHelp("Which holding registers are read. (default: 0)", valueName: "address:count"),
        transform: { try ProbeRequest(reading: .holdingRegisters, parsing: $0) }
    )
    var read = ProbeRequest.read(.holdingRegisters, 0..<1)
}

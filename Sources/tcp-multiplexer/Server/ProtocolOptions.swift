import ArgumentParser
import SecureMux
import ServerSettings

/// What clients and device speak, and how it is written on the wire.
struct ProtocolOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("protocol"), .customLong("applicationProtocol")],
        help: .setting(.applicationProtocol),
        transform: Setting.applicationProtocol.checked
    )
    var applicationProtocol: String?

    @OptionGroup
    var format: FormatOptions

    @Option(help: .setting(.deviceProtocol), transform: Setting.deviceProtocol.checked)
    var targetProtocol: String?

    @Option(name: .customLong("unit-map"), help: .setting(.unitMap), transform: Setting.unitMap.checked)
    var unitMaps: [String] = []

    @Flag(inversion: .prefixedNo, help: .setting(.broadcast))
    var broadcast: Bool?

    @Option(
        name: .customLong("transaction-ids"),
        help: .setting(.transactionIDs),
        transform: Setting.transactionIDs.checked
    )
    var transactionIDs: String?

    @Option(name: .customLong("unit-ids"), help: .setting(.unitIDs), transform: Setting.unitIDs.checked)
    var unitIDs: String?

    /// Writes down what was given for the device.
    func write(to written: inout WrittenSettings) {
        format.write(to: &written)
        written[.applicationProtocol] = applicationProtocol
        written[.deviceProtocol] = targetProtocol
        written.set(.broadcast, broadcast)
        written[.transactionIDs] = transactionIDs
        written[.unitIDs] = unitIDs
    }

    /// Writes down what was given for a listener.
    func write(toListener written: inout WrittenSettings) {
        written[all: .unitMap] = unitMaps
    }
}

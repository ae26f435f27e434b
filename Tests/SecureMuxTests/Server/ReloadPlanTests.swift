import MultiplexerCore
import Testing

@testable import SecureMux

/// What is touched, and what is not, on the way from one configuration to another.
@Suite struct ReloadPlanTests {
    private let inverter = ReloadPlanTests.device("inverter", 1, ["5020", "5021"])
    private let meter = ReloadPlanTests.device("meter", 2, ["5030"])

    @Test func `equal configurations leave everything alone, in whatever order`() throws {
        var turned = inverter
        turned.listeners.reverse()
        for new in [[inverter, meter], [meter, inverter], [meter, turned]] {
            let plan = try plan([inverter, meter], new)
            #expect(plan.devices.allSatisfy { $0.step == .leftAlone })
            #expect(plan.devices.flatMap(\.listeners).allSatisfy { $0.step == .leftAlone })
            #expect(plan.removedDevices.isEmpty && plan.removedListeners.isEmpty)
            #expect(try outcome([inverter, meter], new) == "nothing changed")
        }
    }

    @Test func `other times and limits are changed in place`() throws {
        let changes: [(inout Multiplexer.Configuration) -> Void] = [
            { $0.queueTimeout = .seconds(60) }, { $0.minimumGap = .seconds(1) }, { $0.inFlightLimit = 4 },
            { $0.sharesReads = false }, { $0.backoff = Backoff(initial: .seconds(2)) },
        ]
        for change in changes {
            var other = inverter
            change(&other.multiplexer)
            #expect(try plan([inverter], [other]).devices.map(\.step) == [.times])
            #expect(try outcome([inverter, meter], [other, meter]) == "changed inverter (times); left alone meter")
        }
        var same = inverter
        same.multiplexer.carriesTransactionIDs = false
        #expect(try plan([inverter], [same]).devices.map(\.step) == [.leftAlone])
    }

    @Test func `other rules are changed in place`() throws {
        var other = inverter
        other.listeners[1].rules.limits = ClientLimits(clients: 7)
        #expect(try steps([inverter], [other]) == [.leftAlone, .rules])
        #expect(try outcome([inverter], [other]) == "changed inverter (rules of *:5021)")
        other.listeners[0].rules.allowList = AllowList([try CIDRBlock(parsing: "10.0.0.0/8")])
        #expect(try steps([inverter], [other]) == [.rules, .rules])
    }

    @Test func `clients that are to speak otherwise get another listener with the same socket`() throws {
        let tls = TLSServerConfiguration(certificateChainFile: "a", privateKeyFile: "b")
        let changes: [(inout ListenerConfiguration) -> Void] = [
            { $0.rules.tls = tls }, { $0.unitMap = UnitMap([1: 2]) }, { $0.applicationProtocol = .modbusSerial },
        ]
        for change in changes {
            var other = inverter
            change(&other.listeners[0])
            let plan = try plan([inverter], [other])
            #expect(plan.devices[0].listeners.map(\.step) == [.replaced, .leftAlone])
            #expect(plan.devices[0].listeners[0].old == ReloadPlan.Place(device: 0, listener: 0))
            #expect(plan.removedListeners.isEmpty)
            #expect(try outcome([inverter], [other]) == "changed inverter (replaced listener *:5020)")
        }
        var said = inverter
        said.listeners[0].applicationProtocol = .modbus
        #expect(try steps([inverter], [said]) == [.leftAlone, .leftAlone])
    }

    @Test func `a device at another address, or of another protocol, is another one with the same sockets`() throws {
        var moved = inverter
        moved.address = DeviceAddress(checked: "192.0.2.9", port: 502)
        var serial = inverter
        serial.applicationProtocol = .modbusSerial
        for other in [moved, serial] {
            let plan = try plan([inverter, meter], [other, meter])
            #expect(plan.devices.map(\.step) == [.replaced, .leftAlone])
            #expect(plan.devices[0].listeners.map(\.step) == [.replaced, .replaced])
            #expect(plan.removedDevices.isEmpty && plan.removedListeners.isEmpty)
            #expect(try outcome([inverter, meter], [other, meter]) == "replaced inverter; left alone meter")
        }
    }

    @Test func `devices and listeners come and go`() throws {
        let plan = try plan([inverter], [meter])
        #expect(plan.devices.map(\.step) == [.added])
        #expect(plan.removedDevices == [0])
        #expect(plan.removedListeners.map(\.listener) == [0, 1])
        #expect(try outcome([inverter], [meter]) == "added meter; removed inverter")
        var fewer = inverter
        fewer.listeners = [inverter.listeners[1], listener("6000")]
        #expect(
            try outcome([inverter], [fewer]) == "changed inverter (added listener *:6000; removed listener *:5020)"
        )
    }

    @Test func `a listener that goes to another device takes its socket along`() throws {
        var (poor, rich) = (inverter, meter)
        rich.listeners.append(poor.listeners.removeFirst())
        let plan = try plan([inverter, meter], [poor, rich])
        #expect(plan.devices[1].listeners[1].step == .replaced)
        #expect(plan.devices[1].listeners[1].old == ReloadPlan.Place(device: 0, listener: 0))
        #expect(
            try outcome([inverter, meter], [poor, rich])
                == "changed inverter (removed listener *:5020), meter (replaced listener *:5020)"
        )
    }

    @Test func `a listener at a port that the system chooses stays with its device`() throws {
        let (one, other) = (Self.device("one", 1, ["0"]), Self.device("other", 2, ["0", "0"]))
        let plan = try plan([one, other], [other, one])
        #expect(plan.devices.flatMap(\.listeners).allSatisfy { $0.step == .leftAlone })
        #expect(plan.devices[0].listeners.compactMap { $0.old?.listener } == [0, 1])
    }

    private func plan(_ old: [DeviceConfiguration], _ new: [DeviceConfiguration]) throws -> ReloadPlan {
        ReloadPlan(from: try ServerConfiguration(devices: old), to: try ServerConfiguration(devices: new))
    }

    private func steps(_ old: [DeviceConfiguration], _ new: [DeviceConfiguration]) throws -> [ReloadPlan.ListenerStep] {
        try plan(old, new).devices.flatMap { $0.listeners.map(\.step) }
    }

    private func outcome(_ old: [DeviceConfiguration], _ new: [DeviceConfiguration]) throws -> String {
        ReloadOutcome(try plan(old, new), from: try ServerConfiguration(devices: old)).description
    }

    private static func device(_ name: String, _ host: Int, _ ports: [String]) -> DeviceConfiguration {
        DeviceConfiguration(
            name: name,
            address: DeviceAddress(checked: "192.0.2.\(host)", port: 502),
            applicationProtocol: .modbus,
            listeners: ports.map { listener($0) }
        )
    }

    private static func listener(_ port: String) -> ListenerConfiguration {
        ListenerConfiguration(address: ListenAddress(checked: nil, port: Int(port) ?? 0))
    }

    private func listener(_ port: String) -> ListenerConfiguration { Self.listener(port) }
}

import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import SecureMux

/// Other configurations for a server that runs: what is changed, and that nothing else is.
@Suite(.timeLimit(.minutes(2))) struct ReloadTests {
    @Test func `a device that is the same keeps its connection and its clients over many reloads`() async throws {
        let (device, other) = (try await TestDevice.start(), try await TestDevice.start())
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            let port = running.port
            for round in 0..<10 {
                async let value = value(client)
                try await device.answerNext(UInt16(round))
                #expect(try await value == UInt8(round))
                let meter = other.shared(as: "meter")
                let outcome = try await running.reload(
                    round.isMultiple(of: 2) ? [meter, device.shared(as: "inverter")] : [device.shared(as: "inverter")]
                )
                let change =
                    round.isMultiple(of: 2) ? "added meter; left alone inverter" : "removed meter; left alone inverter"
                #expect(outcome.description == change)
                #expect(running.server.deviceNames.count == (round.isMultiple(of: 2) ? 2 : 1))
                #expect(running.port(of: "inverter") == port)
            }
            #expect(try await device.connections().all == 1)
            #expect(try await running.reload([device.shared(as: "inverter")]).description == "nothing changed")
            try await running.line(containing: "notice the configuration was reloaded", "outcome=nothing changed")
        }
        try await device.stop()
        try await other.stop()
    }

    @Test func `a device that comes is served, and one that goes finishes what is in flight`() async throws {
        let (old, new) = (try await TestDevice.start(), try await TestDevice.start())
        try await withServer(sharing: [old.shared(as: "old")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await old.connection()
            let request = try await link.receiveFrame()
            let port = running.port
            #expect(try await running.reload([new.shared(as: "new")]).description == "added new; removed old")
            #expect(running.server.deviceNames == ["new"])
            await #expect(throws: (any Error).self) { try await TestPeer.connect(to: port) }
            let other = try await TestPeer.connect(to: running.port)
            async let value = value(other)
            try await new.answerNext()
            #expect(try await value == 7)
            try await link.send(answer(request, registers: [9]))
            #expect(try await client.receiveToEnd().last == 9)
            #expect(try await link.receiveToEnd() == [])
        }
        try await old.stop()
        try await new.stop()
    }

    @Test func `other times hold at once, and the connection stays`() async throws {
        let device = try await TestDevice.start()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            async let first = value(client)
            try await device.answerNext()
            #expect(try await first == 7)
            let impatient = device.shared(as: "inverter") { $0.responseTimeout = .milliseconds(100) }
            #expect(try await running.reload([impatient]).description == "changed inverter (times)")
            // Gateway target device failed to respond.
            #expect(try await client.exchange(read(transaction: 2, unit: 1, address: 0, count: 1)).last == 0x0B)
            #expect(try await device.connections().all == 1)
        }
        try await device.stop()
    }

    @Test func `a client that is allowed no more gets its answer, and is closed behind it`() async throws {
        let device = try await TestDevice.start()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let (busy, idle) = (
                try await TestPeer.connect(to: running.port, from: "127.0.0.9"),
                try await TestPeer.connect(to: running.port, from: "127.0.0.9")
            )
            let stays = try await TestPeer.connect(to: running.port)
            try await busy.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            let strict = device.shared(as: "inverter", at: [.local(allow: ["127.0.0.1/32"])])
            #expect(try await running.reload([strict]).changed.first?.replacedRules.count == 1)
            #expect(try await idle.receiveToEnd() == [])
            // Nothing more of it is read.
            try await busy.send(read(transaction: 2, unit: 1, address: 0, count: 1))
            try await link.send(answer(request, registers: [3]))
            #expect(try await busy.receiveToEnd().suffix(2) == [0, 3])
            async let value = value(stays)
            try await device.answerNext()
            #expect(try await value == 7)
            #expect(running.lines(containing: "not on the allow-list any more").count == 2)
            #expect(try await device.connections().all == 1)
            #expect(try await running.server.statistics().requests == 2)
        }
        try await device.stop()
    }

    @Test func `a device at another address is asked only when the old one is done`() async throws {
        let (old, new) = (try await TestDevice.start(), try await TestDevice.start())
        try await withServer(sharing: [old.shared(as: "inverter")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await old.connection()
            let request = try await link.receiveFrame()
            let port = running.port
            #expect(try await running.reload([new.shared(as: "inverter")]).description == "replaced inverter")
            #expect(running.port == port)
            let early = try await TestPeer.connect(to: port)
            async let value = value(early)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await new.connections().all == 0)
            try await link.send(answer(request, registers: [5]))
            #expect(try await client.receiveToEnd().last == 5)
            try await new.answerNext(6)
            #expect(try await value == 6)
        }
        try await old.stop()
        try await new.stop()
    }

    @Test func `a device that gets another name, or speaks otherwise, has never two connections`() async throws {
        let device = try await TestDevice.start()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            var names = ["inverter"]
            for round in 0..<6 {
                let client = try await TestPeer.connect(to: running.port)
                async let value = value(client)
                try await device.answerNext(on: round, UInt16(round))
                #expect(try await value == UInt8(round))
                names.append("inverter \(round)")
                let name = names[round.isMultiple(of: 2) ? round + 1 : round]
                // So that the device has noticed the end of one before the next one comes.
                var shared = device.shared(as: name) { $0.settleTime = .milliseconds(50) }
                if !round.isMultiple(of: 2) { shared.applicationProtocol = .modbus.ignoringUnits() }
                try await running.reload([shared])
            }
            #expect(try await device.connections().mostAtOnce == 1)
        }
        try await device.stop()
    }

    @Test func `a reload that fails changes nothing and says where`() async throws {
        let device = try await TestDevice.start()
        let (other, taken) = (try await TestDevice.start(), try await TestDevice.start())
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            let bad = other.shared(as: "meter", at: [.local(), .local(taken.port)])
            let impatient = device.shared(as: "inverter", at: [.local(allow: ["10.0.0.0/8"])]) {
                $0.responseTimeout = .milliseconds(1)
            }
            let error = await #expect(throws: ServerError.self) { try await running.reload([impatient, bad]) }
            #expect(error?.description.contains("cannot listen on 127.0.0.1:\(taken.port)") == true)
            var missing = impatient
            missing.listeners[0].rules.tls = TLSServerConfiguration(
                certificateChainFile: "/none.crt",
                privateKeyFile: "/none.key"
            )
            let other = await #expect(throws: ServerError.self) { try await running.reload([missing]) }
            #expect(other?.description.contains("device inverter, listener 127.0.0.1:0: /none.crt") == true)
            #expect(running.server.deviceNames == ["inverter"])
            async let value = value(client)
            try await device.answerNext()
            #expect(try await value == 7)
            let second = try await TestPeer.connect(to: running.port)
            async let again = SecureMuxTests.value(second)
            try await device.answerNext()
            #expect(try await again == 7)
            #expect(try await device.connections().all == 1)
        }
        for device in [device, other, taken] { try await device.stop() }
    }

    @Test func `reloads at the same time are done in their order, and none once the server stops`() async throws {
        let device = try await TestDevice.start()
        let other = try await TestDevice.start()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let first = Task { try await running.reload([device.shared(as: "inverter"), other.shared(as: "meter")]) }
            try await running.line(containing: "listening", "meter")
            let second = Task { try await running.reload([device.shared(as: "inverter")]) }
            #expect(try await first.value.description == "added meter; left alone inverter")
            #expect(try await second.value.description == "removed meter; left alone inverter")
            await running.server.drain()
            await #expect(throws: ServerError.self) { try await running.reload([other.shared(as: "meter")]) }
        }
        try await device.stop()
        try await other.stop()
    }

    @Test func `many reloads under load cost nobody an answer`() async throws {
        let (device, other) = (try await TestDevice.start(), try await TestDevice.start())
        let answering = [device, other].map { device in Task { await device.answerAll() } }
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let isDone = NIOLockedValueBox(false)
            let answers = NIOLockedValueBox(0)
            try await withThrowingTaskGroup { group in
                for index in 0..<20 as Range<UInt8> {
                    let client = try await TestPeer.connect(to: running.port)
                    group.addTask {
                        while !isDone.withLockedValue({ $0 }) {
                            #expect(try await value(client, address: index) == index)
                            answers.withLockedValue { $0 += 1 }
                        }
                        try await client.close()
                    }
                }
                for round in 0..<20 {
                    let times: Duration = .milliseconds(round % 3)
                    var devices = [
                        device.shared(
                            as: "inverter",
                            at: [.local(limits: ClientLimits(clients: 100 + round))]
                        ) { ($0.minimumGap, $0.sharesReads) = (times, round.isMultiple(of: 2)) }
                    ]
                    if round.isMultiple(of: 2) { devices.insert(other.shared(as: "meter"), at: 0) }
                    try await running.reload(devices)
                    let before = answers.withLockedValue { $0 }
                    try await eventually { answers.withLockedValue { $0 } > before + 20 }
                }
                isDone.withLockedValue { $0 = true }
                try await group.waitForAll()
            }
            #expect(try await device.connections().all == 1)
        }
        for task in answering { task.cancel() }
        try await device.stop()
        try await other.stop()
    }
}

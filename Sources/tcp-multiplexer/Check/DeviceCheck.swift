import Logging
import MultiplexerCore
import NIOCore
import NIOPosix
import SecureMux
import ServerSettings

/// Asks devices something, each as the server would: with its times, its protocol, its one connection.
struct DeviceCheck {
    /// What to read of devices that speak Modbus.
    let request: ProbeRequest
    let unit: UInt8

    /// What a device said.
    struct Answer {
        let isRight: Bool
        let words: String
    }

    /// Connects to a device, and asks it if it speaks Modbus.
    func answer(of device: DeviceConfiguration) async -> Answer {
        guard device.applicationProtocol.messages == .modbus else { return await connection(to: device) }
        do {
            let server = try await Server.start(
                try Self.configuration(of: device),
                logger: Logger(label: "") { _ in SwiftLogNoOpLogHandler() }
            )
            let answer = await answer(through: server, of: device)
            await server.drain()
            return answer
        } catch {
            return Answer(isRight: false, words: "\(error)")
        }
    }

    /// The device behind a listener of our own, for Modbus/TCP.
    private static func configuration(of device: DeviceConfiguration) throws(ConfigurationError) -> ServerConfiguration
    {
        var device = device
        device.listeners = [
            ListenerConfiguration(
                address: try ListenAddress(host: "127.0.0.1", port: 0),
                applicationProtocol: .modbus
            )
        ]
        device.multiplexer.linger = .zero
        return try ServerConfiguration(devices: [device])
    }

    private func answer(through server: Server, of device: DeviceConfiguration) async -> Answer {
        guard let port = server.addresses.first?.port else { return Answer(isRight: false, words: "nothing listens") }
        let limit = device.multiplexer.queueTimeout + device.multiplexer.connectTimeout + .seconds(1)
        let exchange = ProbeExchange(address: DeviceAddress(checked: "127.0.0.1", port: port), tls: nil, timeout: limit)
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let response = try await exchange.response(to: request.message(unit: unit))
            let time = (clock.now - start).readableText
            do {
                _ = try request.answer(in: response, unit: unit)
                return Answer(isRight: true, words: "answers within \(time)")
            } catch {
                return Self.answer(for: error, after: time)
            }
        } catch {
            return Answer(isRight: false, words: error.description)
        }
    }

    /// An exception of the device's own shows that it is there; two are ours.
    private static func answer(for failure: ProbeFailure, after time: String) -> Answer {
        switch failure.kind {
        case .modbusException where failure.description.contains("0x0A"):
            Answer(isRight: false, words: "cannot be reached")
        case .modbusException where failure.description.contains("0x0B"):
            Answer(isRight: false, words: "takes the connection and does not answer; is the unit id right?")
        case .modbusException:
            Answer(isRight: true, words: "answers within \(time), though not with a value: \(failure)")
        default:
            Answer(isRight: false, words: failure.description)
        }
    }

    private func connection(to device: DeviceConfiguration) async -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        do {
            for address in try await device.address.resolve(on: loop).get() {
                let channel = try? await ClientBootstrap(group: loop)
                    .connectTimeout(TimeAmount(device.multiplexer.connectTimeout))
                    .connect(to: address).get()
                guard let channel else { continue }
                try? await channel.close()
                return Answer(isRight: true, words: "takes a connection; what it speaks was not tried")
            }
            return Answer(isRight: false, words: "cannot be reached")
        } catch {
            return Answer(isRight: false, words: "cannot be reached: \(error)")
        }
    }
}

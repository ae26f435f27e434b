import Logging
import NIOConcurrencyHelpers
import NIOCore
import ServerSettings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells the service manager how the service is doing, in the words of systemd's `sd_notify(3)`.
///
/// Where there is none, nothing happens.
final class ServiceNotifier: Sendable {
    private let address: UnixSocketAddress?
    /// How long it may take from one sign of life to the next; nil if none is awaited.
    private let watchdogLimit: Duration?
    private let logger: Logger
    private let hasToldFailure = NIOLockedValueBox(false)
    /// Whether the service is stopping: it is not ready any more, whatever ends meanwhile.
    private let isStopping = NIOLockedValueBox(false)

    /// One that tells whom the process's environment names.
    init(environment: [String: String], logger: Logger) {
        self.logger = logger
        let name = environment["NOTIFY_SOCKET"] ?? ""
        address = UnixSocketAddress(serviceManagers: name)
        if address == nil, !name.isEmpty {
            logger.debug("the service manager cannot be told anything", metadata: ["socket": "\(name)"])
        }
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
        watchdogLimit = isOurs && limit > 0 && address != nil ? .microseconds(limit) : nil
    }

    /// Everything is open, or a reload is over.
    func ready(_ status: String) {
        guard !isStopping.withLockedValue(\.self) else { return }
        tell("READY=1", status: status)
    }

    /// A reload begins.
    func reloading() {
        guard !isStopping.withLockedValue(\.self) else { return }
        // Systemd holds it against the time at which it sent the signal.
        tell("RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)", status: "reading the configuration")
    }

    /// Nobody new is accepted any more.
    func stopping() {
        isStopping.withLockedValue { $0 = true }
        tell("STOPPING=1", status: "finishing what is in flight")
    }

    /// Gives signs of life as long as `isWell` says so, twice as often as they are awaited.
    ///
    /// - Returns: What does so until it is cancelled; nil if nobody waits for them.
    func feedWatchdog(while isWell: @escaping @Sendable () -> Bool) -> Task<Void, Never>? {
        guard let watchdogLimit else { return nil }
        return Task {
            while !Task.isCancelled {
                if isWell() { tell("WATCHDOG=1") }
                try? await Task.sleep(for: watchdogLimit / 2)
            }
        }
    }

    /// Systemd ignores messages of more than 4096 bytes.
    private static let longestStatus = 900

    private func tell(_ state: String, status: String) {
        let all = status.escapingControls.unicodeScalars
        let rest = all.count > Self.longestStatus ? "…" : ""
        tell("\(state)\nSTATUS=\(String(String.UnicodeScalarView(all.prefix(Self.longestStatus))))\(rest)")
    }

    private func tell(_ message: String) {
        guard let address else { return }
        let descriptor = unixSocket(.datagram)
        defer { if descriptor >= 0 { close(descriptor) } }
        // It is slow only where the whole machine is; then it had better be told late than never.
        setTimeout(of: descriptor, sending: .seconds(5))
        let bytes = Array(message.utf8)
        let sent = address.withPointer { pointer, length in
            sendto(descriptor, bytes, bytes.count, .noSignal, pointer, length)
        }
        guard sent < 0 else { return }
        let reason = String(cString: strerror(errno))
        let isNew = hasToldFailure.withLockedValue { hasToldFailure in
            defer { hasToldFailure = true }
            return !hasToldFailure
        }
        if isNew { logger.debug("the service manager cannot be told anything", metadata: ["reason": "\(reason)"]) }
    }

    /// The clock that systemd goes by.
    private static var monotonicMicroseconds: UInt64 { NIODeadline.now().uptimeNanoseconds / 1000 }
}

import MultiplexerCore
import NIOCore

/// A device as it is seen from outside of its loop, with its listeners.
struct Tenant: Sendable {
    var configuration: DeviceConfiguration
    let loop: Loop
    let device: NIOLoopBound<Device>
    /// What tells it from one that had, or will have, its name.
    let id = ID()
    /// In the order of the configuration.
    var listeners: [Seat] = []

    final class ID: Sendable {}

    /// One of its listeners.
    struct Seat: Sendable {
        var prepared: PreparedListener
        /// With the port that the system chose where it was to.
        let address: ListenAddress
        let listener: NIOLoopBound<Listener>
        let loop: Loop

        /// Accepts nobody any more.
        func close() async {
            // An error means that it is closed.
            try? await loop.eventLoop.flatSubmit { listener.value.close() }.get()
        }
    }

    /// Does something with the device on its loop; a loop that has ended has none.
    func run(_ body: @escaping @Sendable (Device) -> Void) async {
        try? await loop.eventLoop.submit { body(device.value) }.get()
    }

    /// Accepts nobody new, finishes what is in flight, fails what waits, and closes all clients and the link.
    func drain() async {
        for seat in listeners { await seat.close() }
        try? await loop.eventLoop.flatSubmit { device.value.drain() }.get()
    }
}

extension Tenant.Seat {
    /// Does something with the listener on its loop; a loop that has ended has none.
    func run(_ body: @escaping @Sendable (Listener) -> Void) async {
        try? await loop.eventLoop.submit { body(listener.value) }.get()
    }
}

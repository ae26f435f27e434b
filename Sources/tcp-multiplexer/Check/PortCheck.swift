import NIOCore
import NIOPosix
import SecureMux

/// Finds out whether an address can be listened on, and leaves it alone at once.
enum PortCheck {
    /// Why nobody can listen there now; nil if somebody can.
    static func objection(to address: ListenAddress) async -> String? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        do {
            let channel = try await loop.flatSubmit {
                ServerBootstrap(group: loop).serverChannelOption(.socketOption(.so_reuseaddr), value: 1).bind(
                    to: address
                )
            }.get()
            try? await channel.close()
            return nil
        } catch {
            return address.explanation(ofFailedBind: error)
        }
    }
}

import MultiplexerCore

/// Why a client's session sends it away.
struct UnwantedClient: ClientRefusal {
    let refusalKind: RefusalKind
    let reason: String
    let remedy: Sentence

    static let unexpectedTLS = UnwantedClient(
        refusalKind: .unexpectedTLS,
        reason: "the client speaks TLS, this listener does not",
        remedy: "give the client the TLS listener's port, or this listener a certificate"
    )

    static func notTheProtocol(_ error: FramingError) -> UnwantedClient {
        UnwantedClient(
            refusalKind: .notTheProtocol,
            reason: "the client sent \(error)",
            remedy: "let it speak the protocol that \(.clientProtocol) names"
        )
    }

    static func tooMuchMemory(_ limits: ClientLimits) -> UnwantedClient {
        UnwantedClient(
            refusalKind: .tooMuchMemory,
            reason: "the messages of all clients together take more than \(limits.messageMemory) bytes, and those of "
                + "this client the most",
            remedy: "look whether it reads its responses and finishes its requests, or raise \(.messageMemory)"
        )
    }
}

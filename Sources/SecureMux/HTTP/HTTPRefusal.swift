import MultiplexerCore

/// Why a client gets an error status and is sent away: what follows its request could not be told apart with certainty.
struct HTTPRefusal: ClientRefusal, Hashable {
    /// What is wrong with what it sent.
    let violation: HTTPViolation

    /// A clause that starts with the client.
    var reason: String {
        violation == .tls ? "the client speaks TLS, this listener does not" : "the client sent \(violation)"
    }

    /// What to do about it.
    var remedy: String {
        switch violation.status {
        case nil: "give the client the TLS listener's port, or this listener a certificate"
        case 408?: "look at the client and its network, or raise --client-request-timeout"
        case 413?, 414?, 431?: "let it send less at once"
        case 501?: "let it use plain HTTP requests; tunnels, upgrades and unknown methods cannot share a connection"
        default: "let it speak HTTP/1.1 by the letter"
        }
    }
}

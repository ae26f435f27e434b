import MultiplexerCore

/// Why a client gets an error status and is sent away: what follows its request could not be told apart with certainty.
struct HTTPRefusal: ClientRefusal, Hashable {
    /// What is wrong with what it sent.
    let violation: HTTPViolation

    var refusalKind: RefusalKind { .http(status: violation.status) }

    /// A clause that starts with the client.
    var reason: String {
        violation == .tls ? "the client speaks TLS, this listener does not" : "the client sent \(violation)"
    }

    /// What to do about it.
    var remedy: Sentence {
        switch violation.status {
        case nil: "give the client the TLS listener's port, or this listener a certificate"
        case 408?: "look at the client and its network, or raise \(.clientRequestTimeout)"
        case 503?: "let it send less at once, or raise \(.messageMemory)"
        case 413?, 414?, 431?: "let it send less at once"
        case 501?: "let it use plain HTTP requests; tunnels, upgrades and unknown methods cannot share a connection"
        default: "let it speak HTTP/1.1 by the letter"
        }
    }
}

extension HTTPViolation {
    /// The rest of a request did not come (RFC 9110, section 15.5.9).
    static let late = HTTPViolation(408, "only a part of a request in time")
    /// The messages of all clients take more memory than they may.
    static let tooMuchWithOthers = HTTPViolation(503, "more than there is room for beside other clients' messages")
}

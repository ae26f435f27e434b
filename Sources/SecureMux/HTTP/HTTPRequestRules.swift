import MultiplexerCore
import NIOHTTP1

/// What becomes of a request, decided from its head alone.
struct HTTPRequestPlan: Equatable {
    /// What the device is asked.
    var method: HTTPMethod
    /// For what, without scheme and authority.
    var target: String
    /// The fields that travel on.
    var headers: HTTPHeaders
    /// The names of the trailer fields that the client announces.
    var announcedTrailers: String?
    /// Where the body ends; nil when the head names no length, which means that there is none.
    var framing: HTTPBodyFraming?
    /// Whether the client waits to be told before it sends the body.
    var awaitsContinue: Bool
    /// How the client wants its responses.
    var client: Client

    /// What of a request its response depends on.
    struct Client: Equatable {
        /// Its response has no body.
        var isHEAD: Bool
        /// The version that it speaks.
        var version: HTTPVersion
        /// Whether it may send another request.
        var keepsAlive: Bool
    }
}

/// Reads the heads of requests and refuses those that could be read in two ways, or that cannot share a connection.
struct HTTPRequestRules {
    private let limits: HTTPLimits

    /// Rules with these limits.
    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
    }

    /// Decides what becomes of a request.
    ///
    /// - Throws: ``HTTPViolation`` with the status that the client gets.
    func plan(_ head: HTTPRequestHead) throws(HTTPViolation) -> HTTPRequestPlan {
        var head = head
        head.headers = head.headers.trimmed
        guard head.method != .CONNECT else { throw HTTPViolation(501, "CONNECT: no tunnels lead through here") }
        // NIOHTTP1 would write it without its hyphen.
        guard head.method != .MSEARCH else { throw HTTPViolation(501, "M-SEARCH, which is not for TCP") }
        let target = try HTTPTarget(head.uri, method: head.method)
        let fields = try HTTPFields(head.headers)
        guard !head.headers.hasReplacedBytes else { throw HTTPViolation("a header field whose value is not UTF-8") }
        let host = try checkHost(head, target)
        let framing = try HTTPBodyFraming(head.headers, version: head.version)
        if case .length(let length) = framing, length > limits.body {
            throw HTTPViolation(413, "a body longer than \(limits.body) bytes")
        }
        guard head.headers["upgrade"].isEmpty || !fields.connectionOptions.contains("upgrade") else {
            throw HTTPViolation(501, "a request to upgrade to another protocol")
        }
        let awaitsContinue = try checkExpectations(head)
        var headers = fields.endToEnd
        headers.remove(name: "expect")
        if head.headers["host"].isEmpty, let host { headers.add(name: "Host", value: host) }
        return HTTPRequestPlan(
            method: head.method,
            target: target.path,
            headers: headers,
            announcedTrailers: head.headers.first(name: "trailer"),
            framing: framing,
            awaitsContinue: awaitsContinue,
            client: HTTPRequestPlan.Client(
                isHEAD: head.method == .HEAD,
                version: head.version,
                keepsAlive: fields.keepsAlive(head.version)
            )
        )
    }

    /// Exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and none that contradicts the target.
    private func checkHost(_ head: HTTPRequestHead, _ target: HTTPTarget) throws(HTTPViolation) -> String? {
        let hosts = head.headers["host"]
        guard hosts.count <= 1 else { throw HTTPViolation("more than one Host") }
        guard head.version == .http1_0 || hosts.count == 1 else { throw HTTPViolation("no Host") }
        if let host = hosts.first {
            guard HTTPTarget.isAuthority(host) || host.isEmpty else { throw HTTPViolation("a Host that is no host") }
            if let authority = target.authority, authority.lowercased() != host.lowercased() {
                throw HTTPViolation("a Host other than the one in the target")
            }
        }
        return hosts.first ?? target.authority
    }

    /// Whether 100 Continue is expected; HTTP/1.0 does not know it.
    private func checkExpectations(_ head: HTTPRequestHead) throws(HTTPViolation) -> Bool {
        let expectations = head.headers["expect"]
        guard head.version == .http1_1, !expectations.isEmpty else { return false }
        guard expectations.count == 1, expectations[0].lowercased() == "100-continue" else {
            throw HTTPViolation(417, "an expectation other than 100-continue")
        }
        return true
    }
}

extension HTTPFields {
    /// Whether the sender of a message with these fields leaves its connection open after it (RFC 9112, section 9.3).
    func keepsAlive(_ version: HTTPVersion) -> Bool {
        if connectionOptions.contains("close") { return false }
        return version == .http1_1 || connectionOptions.contains("keep-alive")
    }
}

import MultiplexerCore
import NIOHTTP1

/// What becomes of a device's response, decided from its head alone.
struct HTTPResponsePlan: Equatable {
    /// Its status.
    var status: Int
    /// The fields that travel on.
    var headers: HTTPHeaders
    /// The names of the trailer fields that the device announces.
    var announcedTrailers: String?
    /// Where the body ends.
    var framing: HTTPBodyFraming
    /// The length that is named where no body follows: in the response to HEAD and in 304.
    var declaredLength: Int?
    /// Whether the device closes the connection after it.
    var isLast: Bool
}

/// Reads the heads of responses and refuses those that could be read in two ways.
struct HTTPResponseRules {
    private let limits: HTTPLimits

    /// Rules with these limits.
    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
    }

    /// Decides what becomes of the response to a request that was or was not HEAD.
    ///
    /// - Returns: Nil for an interim response, which another one follows.
    /// - Throws: ``HTTPViolation``; its status is of no use here.
    func plan(_ head: HTTPResponseHead, toHEAD isHEAD: Bool) throws(HTTPViolation) -> HTTPResponsePlan? {
        var head = head
        head.headers = head.headers.trimmed
        let status = Int(head.status.code)
        guard status != 101 else { throw HTTPViolation("101 Switching Protocols, which nobody asked for") }
        let framing = try HTTPBodyFraming(head.headers, version: head.version)
        guard status >= 200 else { return nil }
        let fields = try HTTPFields(head.headers)
        var plan = HTTPResponsePlan(
            status: status,
            headers: fields.endToEnd,
            announcedTrailers: head.headers.first(name: "trailer"),
            framing: framing ?? .untilEnd,
            isLast: !fields.keepsAlive(head.version)
        )
        if isHEAD || status == 204 || status == 304 {
            if case .length(let length) = framing, status != 204 { plan.declaredLength = length }
            plan.framing = .none
        }
        switch plan.framing {
        case .length(let length) where length > limits.body:
            throw HTTPViolation("a body longer than \(limits.body) bytes")
        case .untilEnd:
            plan.isLast = true
        case .none, .length, .chunked:
            break
        }
        return plan
    }
}

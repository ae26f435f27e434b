extension ApplicationProtocol {
    /// HTTP/1.1 and HTTP/1.0.
    public static let http = http(HTTPLimits())

    /// HTTP/1.1 and HTTP/1.0 with other limits.
    public static func http(_ limits: HTTPLimits) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "http",
            aliases: ["http1"],
            summary: "HTTP/1.1: gadgets and gateways with a web interface or a REST API that take one connection",
            messages: .http(limits),
            framing: HTTPRecordFraming(),
            messageRules: HTTPMessageRules(),
            // What an HTTP device has still to say is said on the connection that ends.
            quietTime: .zero
        )
    }

    /// HTTP with bodies of at most `maximumBody` bytes.
    ///
    /// - Throws: ``InvalidSettings`` for less than 1 byte and more than 64 MiB.
    public static func http(maximumBody: Int) throws(InvalidSettings) -> ApplicationProtocol {
        guard HTTPLimits.bodies.contains(maximumBody) else {
            throw InvalidSettings("a body may be limited to 1 byte to 64M, not to \(maximumBody) bytes")
        }
        return .http(HTTPLimits(body: maximumBody))
    }
}

/// What is wrong with an HTTP message, and the status that says so to whoever sent it as a request.
package struct HTTPViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status of the answer; nil where the peer would not understand one.
    package let status: Int?
    /// What is wrong, in words that fit after "the client sent ".
    package let description: String

    /// A violation that is answered with this status.
    package init(_ status: Int?, _ description: String) {
        self.status = status
        self.description = description
    }

    /// A violation that is answered with 400.
    package init(_ description: String) {
        self.init(400, description)
    }

    /// A TLS record where a message should begin.
    package static let tls = HTTPViolation(nil, "TLS instead of HTTP")
}

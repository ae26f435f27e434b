/// Why a probe has no good answer.
struct ProbeFailure: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it is; the raw value is the command's exit code.
    enum Kind: Int32, CaseIterable {
        /// Refused, no route, name not found, no answer to the attempt.
        case cannotConnect = 2
        /// The connection was closed before anything came back.
        case closedBeforeAnswer = 3
        /// TLS or a certificate.
        case tls = 4
        /// The answer is a Modbus exception.
        case modbusException = 5
        /// Nothing came back in time.
        case noAnswer = 6
        /// What came back does not answer the request.
        case malformedAnswer = 7

        var summary: String {
            switch self {
            case .cannotConnect: "cannot connect: refused, no route, or the name is not found"
            case .closedBeforeAnswer: "the connection was closed before any answer"
            case .tls: "TLS or a certificate is the problem"
            case .modbusException: "the answer is a Modbus exception"
            case .noAnswer: "no answer in time"
            case .malformedAnswer: "the answer is malformed or answers something else"
            }
        }
    }

    let kind: Kind
    /// The reason in words for the user.
    let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

import MultiplexerCore
import NIOCore
import NIOHTTP1

extension HTTPViolation {
    /// What llhttp has found, or nil when the error is none of its.
    ///
    /// - Parameters:
    ///   - error: What went up the pipeline.
    ///   - isInHead: Whether it was found in a message's head, which the guard had let pass.
    init?(parser error: any Error, inHead isInHead: Bool) {
        switch error {
        case let error as HTTPViolation: self = error
        case let error as HTTPParserError: self = isInHead ? Self.inHead(error) : Self.inBody(error)
        case is NIOHTTPDecoderError: self.init("more than it was asked for")
        case is ByteToMessageDecoderError: self.init("more after something that cannot be parsed")
        default: return nil
        }
    }

    private static func inHead(_ error: HTTPParserError) -> HTTPViolation {
        switch error {
        // The guard has seen that the head is well-formed; then llhttp does not know the method.
        case .invalidMethod, .invalidConstant: HTTPViolation(501, "a method that cannot be passed on")
        case .invalidVersion, .paused: HTTPViolation(505, "a version of HTTP other than 1.1 and 1.0")
        case .headerOverflow: HTTPViolation(431, "header fields over the limit")
        case .invalidContentLength: HTTPViolation("a Content-Length that is not a number, or not the only length")
        case .unexpectedContentLength: HTTPViolation("more than one Content-Length")
        case .unknown: HTTPViolation("a Transfer-Encoding other than chunked, or Content-Length beside it")
        default: HTTPViolation("a head that cannot be parsed (\(error))")
        }
    }

    private static func inBody(_ error: HTTPParserError) -> HTTPViolation {
        switch error {
        case .headerOverflow: HTTPViolation(431, "trailer fields over the limit")
        case .invalidChunkSize: HTTPViolation("a chunk whose size is not a number")
        case .invalidEOFState: HTTPViolation("only a part of a message before it closed the connection")
        case .invalidHeaderToken, .invalidContentLength: HTTPViolation("a trailer line that cannot be parsed")
        case .strictModeAssertion, .unknown, .lfExpected:
            HTTPViolation("a chunk that does not end where it should, with CR LF")
        default: HTTPViolation("a body that cannot be parsed (\(error))")
        }
    }
}

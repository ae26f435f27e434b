import MultiplexerCore
import NIOCore
import NIOHTTP1

extension HTTPViolation {
    /// What llhttp has found, or nil when the error is none of its.
    init?(parser error: any Error) {
        switch error {
        case let error as HTTPViolation: self = error
        case let error as HTTPParserError: self.init(error)
        case is NIOHTTPDecoderError: self.init("more than it was asked for")
        case is ByteToMessageDecoderError: self.init("more after something that cannot be parsed")
        default: return nil
        }
    }

    private init(_ error: HTTPParserError) {
        switch error {
        // The guard has seen that the head is well-formed; then llhttp does not know the method.
        case .invalidMethod, .invalidConstant: self.init(501, "a method that cannot be passed on")
        case .invalidVersion, .paused: self.init(505, "a version of HTTP other than 1.1 and 1.0")
        case .headerOverflow: self.init(431, "header and trailer fields over the limit")
        case .invalidContentLength: self.init("a Content-Length that is not a number of bytes")
        case .unexpectedContentLength: self.init("more than one Content-Length, or one beside Transfer-Encoding")
        case .invalidChunkSize: self.init("a chunk whose size is not a number")
        case .invalidEOFState: self.init("only a part of a message before it closed the connection")
        case .invalidHeaderToken: self.init("a header or trailer line that cannot be parsed")
        case .invalidURL: self.init("a target that cannot be parsed")
        default: self.init("what cannot be parsed as HTTP/1.1 (\(error))")
        }
    }
}

import MultiplexerCore

/// Why a connection to the device ended.
enum UpstreamError: Error, CustomStringConvertible {
    case closedByDevice
    case unreadable(FramingError)

    var description: String {
        switch self {
        case .closedByDevice: "the device closed the connection"
        case .unreadable(let error): "the device sent \(error)"
        }
    }
}

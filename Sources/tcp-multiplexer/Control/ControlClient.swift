#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks a server for something through its control socket, and waits until it is done.
struct ControlClient {
    let path: String

    /// What came of a request.
    ///
    /// - Throws: ``ControlClientError`` when no server is there, or it does not answer in time.
    func ask(_ request: ControlRequest, within limit: Duration) throws(ControlClientError) -> ControlResponse {
        guard let address = UnixSocketAddress(path: path) else {
            throw failure("a socket's path has 1 to \(UnixSocketAddress.longestPath) bytes")
        }
        let descriptor = unixSocket(.stream)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        setTimeout(of: descriptor, receiving: limit, sending: .seconds(10))
        guard address.withPointer({ connect(descriptor, $0, $1) }) == 0 else {
            throw failure(String(cString: strerror(errno)))
        }
        let bytes = request.controlLine()
        // It is short, so that it goes as a whole; if the server has hung up, that is read.
        _ = send(descriptor, bytes, bytes.count, .noSignal)
        guard let response = ControlResponse(controlLine: try line(from: descriptor, within: limit)) else {
            throw ControlClientError(description: "what is at \(path) is no server of this program, or another version")
        }
        return response
    }

    private func line(from descriptor: CInt, within limit: Duration) throws(ControlClientError) -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        var line: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while !line.contains(UInt8(ascii: "\n")), line.count <= ControlResponse.longest, ContinuousClock.now < deadline
        {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count >= 0 else { throw failure(String(cString: strerror(errno))) }
            guard count > 0 else {
                throw ControlClientError(description: "the server at \(path) ended before it was done")
            }
            line += part[..<count]
        }
        guard let end = line.firstIndex(of: UInt8(ascii: "\n")) else {
            throw ControlClientError(
                description:
                    "the server at \(path) has not answered for \(limit.components.seconds) s; its log says more"
            )
        }
        return Array(line[..<end])
    }

    private func failure(_ reason: String) -> ControlClientError {
        ControlClientError(
            description: """
                no server answers at \(path): \(reason). Is it running, and is this its control socket? Name it with \
                --control, or with --config name the file that does
                """
        )
    }
}

/// Why there is no response.
struct ControlClientError: Error, CustomStringConvertible {
    let description: String
}

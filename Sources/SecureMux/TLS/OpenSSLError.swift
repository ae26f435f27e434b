import COpenSSL

/// One entry of OpenSSL's error queue, which each thread has one of.
struct OpenSSLError: Equatable {
    let library: Int32
    let reason: Int32

    /// Takes everything out of this thread's error queue, oldest first.
    static func takeQueue() -> [OpenSSLError] {
        var errors: [OpenSSLError] = []
        while case let code = ERR_get_error(), code != 0 {
            errors.append(OpenSSLError(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code)))
        }
        return errors
    }
}

extension OpenSSLError: CustomStringConvertible {
    /// OpenSSL's own words, such as "no shared cipher".
    var description: String {
        // ERR_PACK is a macro: library in bits 23 to 30, reason below.
        let code = UInt(library) << 23 | UInt(reason)
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(library):\(reason)"
    }
}

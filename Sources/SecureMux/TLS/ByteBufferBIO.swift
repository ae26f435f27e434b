import COpenSSL

/// OpenSSL's view of a session's two buffers: reads come from its input, writes go to its records.
///
/// OpenSSL's own memory BIO would keep both a second time, for as long as the connection lives.
enum ByteBufferBIO {
    /// Makes one for the session, which has to live longer.
    static func make(for session: TLSSession) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(session).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    nonisolated(unsafe) private static let method: OpaquePointer? = {  // Safe: made once, under a lock.
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteBuffer") else { return nil }
        BIO_meth_set_read_ex(method) { bio, bytes, capacity, count in
            guard let bio, let bytes, let count, let session = session(of: bio) else { return 0 }
            COpenSSL_BIO_clear_retry_flags(bio)
            count.pointee = session.takeInput(into: UnsafeMutableRawBufferPointer(start: bytes, count: capacity))
            if count.pointee > 0 { return 1 }
            COpenSSL_BIO_set_retry_read(bio)
            return 0
        }
        BIO_meth_set_write_ex(method) { bio, bytes, length, count in
            guard let bio, let bytes, let count, let session = session(of: bio) else { return 0 }
            COpenSSL_BIO_clear_retry_flags(bio)
            session.appendRecords(UnsafeRawBufferPointer(start: bytes, count: length))
            count.pointee = length
            return 1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }()

    private static func session(of bio: OpaquePointer) -> TLSSession? {
        BIO_get_data(bio).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }
}

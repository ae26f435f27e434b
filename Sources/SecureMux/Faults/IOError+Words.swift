package import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension IOError {
    /// What the system says of it, such as "Connection refused".
    package var words: String {
        String(cString: strerror(errnoCode))
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment, written as RFC 3339 has it: in UTC, to the millisecond.
///
/// Foundation could do this too, and would be a quarter of the binary.
struct Timestamp: CustomStringConvertible {
    private let sinceEpoch: Duration

    /// So long after the beginning of 1970.
    init(sinceEpoch: Duration) {
        self.sinceEpoch = sinceEpoch
    }

    static var now: Timestamp {
        // Not a variable: to a package, the structure's initializer and members belong to a module that none can import.
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { time in
            clock_gettime(CLOCK_REALTIME, &time[0])
            return Timestamp(sinceEpoch: Duration(time[0]))
        }
    }

    var description: String {
        let (whole, attoseconds) = sinceEpoch.components
        var (seconds, parts) = (time_t(whole), tm())
        gmtime_r(&seconds, &parts)
        let date = [Self.digits(parts.tm_year + 1900, 4), Self.digits(parts.tm_mon + 1), Self.digits(parts.tm_mday)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.digits($0) }
        let milliseconds = Self.digits(Int32(attoseconds / 1_000_000_000_000_000), 3)
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(milliseconds)Z"
    }

    private static func digits(_ number: Int32, _ count: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(count - digits.count, 0)) + digits
    }
}

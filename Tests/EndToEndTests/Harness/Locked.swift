import Foundation

/// A value behind a lock that the thread sanitizer understands: it takes a contended `Mutex` for a data race on Linux.
///
/// Unchecked, since the value is touched nowhere but with the lock held.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
    }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&value) }
    }
}

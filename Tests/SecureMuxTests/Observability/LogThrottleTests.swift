import NIOCore
import Testing

@testable import SecureMux

@Suite struct LogThrottleTests {
    @Test func `of what repeats, the first and then those that double the number are told`() {
        var repetitions = LogThrottle()
        let told = (1...100).filter { _ in repetitions.count(at: .uptimeNanoseconds(0)) }
        #expect(told == [1, 2, 4, 8, 16, 32, 64])
        #expect(repetitions.total == 100)
    }

    @Test func `a few can be told singly`() {
        var repetitions = LogThrottle(burst: 10)
        let told = (1...40).filter { _ in repetitions.count(at: .uptimeNanoseconds(0)) }
        #expect(told == Array(1...10) + [16, 32])
    }

    @Test func `after a minute of calm the first one is told again`() {
        var repetitions = LogThrottle()
        var now = NIODeadline.uptimeNanoseconds(0)
        func count(after pause: TimeAmount) -> Bool {
            now = now + pause
            return repetitions.count(at: now)
        }
        #expect((1...6).filter { _ in count(after: .milliseconds(1)) } == [1, 2, 4])
        #expect(repetitions.hasUntold)
        #expect(count(after: .seconds(61)))
        #expect(!repetitions.hasUntold)
        #expect(repetitions.total == 7)
    }

    @Test func `what goes on for ever is told for ever, but not without bound`() {
        var repetitions = LogThrottle(burst: 100, perMinute: 10)
        var told: [Int] = []
        for tenth in 0..<36_000 where repetitions.count(at: .uptimeNanoseconds(0) + .milliseconds(100 * Int64(tenth))) {
            told.append(tenth)
        }
        #expect(told.count > 600 && told.count < 800)
        #expect(zip(told, told.dropFirst()).allSatisfy { $1 - $0 <= 61 })
    }

    @Test func `one kind hides no other`() {
        var kinds = LogThrottleByKind<RefusalKind>(LogThrottle(burst: 10))
        func count(_ kind: RefusalKind) -> Bool { kinds.count(kind, at: .uptimeNanoseconds(0)).isDue }
        let told = (1...40).filter { _ in count(.tls(TLSRefusal.Kind.selfSigned.rawValue)) }
        #expect(told == Array(1...10) + [16, 32])
        #expect(
            count(.tls(TLSRefusal.Kind.certificateExpired.rawValue)) && count(.http(status: 400))
                && count(.notTheProtocol)
        )
    }
}

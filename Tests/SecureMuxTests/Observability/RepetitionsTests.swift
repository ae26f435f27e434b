import NIOCore
import Testing

@testable import SecureMux

@Suite struct RepetitionsTests {
    @Test func `of what repeats, the first and then those that double the number are told`() {
        var repetitions = Repetitions()
        let told = (1...100).filter { _ in repetitions.count(at: .uptimeNanoseconds(0)) }
        #expect(told == [1, 2, 4, 8, 16, 32, 64])
        #expect(repetitions.total == 100)
    }

    @Test func `a few can be told singly`() {
        var repetitions = Repetitions(toldSingly: 10)
        let told = (1...40).filter { _ in repetitions.count(at: .uptimeNanoseconds(0)) }
        #expect(told == Array(1...10) + [16, 32])
    }

    @Test func `after a minute of calm the first one is told again`() {
        var repetitions = Repetitions()
        var now = NIODeadline.uptimeNanoseconds(0)
        func count(after pause: TimeAmount) -> Bool {
            now = now + pause
            return repetitions.count(at: now)
        }
        #expect((1...6).filter { _ in count(after: .seconds(60)) } == [1, 2, 4])
        #expect(count(after: .seconds(61)))
        #expect(repetitions.total == 7)
    }
}

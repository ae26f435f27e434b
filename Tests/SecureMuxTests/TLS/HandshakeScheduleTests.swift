import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// Which handshakes take a step: pure, without threads.
@Suite struct HandshakeScheduleTests {
    private var schedule = HandshakeSchedule<Int>(width: 2, places: 3, time: .seconds(1), helloMemory: 1000)
    private let (a, b): (IPAddress, IPAddress)

    init() throws {
        (a, b) = (try #require(IPAddress(parsing: "10.0.0.1")), try #require(IPAddress(parsing: "10.0.0.2")))
    }

    private static func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private mutating func next(_ seconds: Int64 = 0) -> Int? { schedule.next(at: Self.time(seconds)) }

    @Test
    mutating func `as many as there is width for take a step at a time, and the next one when one of them is over`() {
        for member in 1...3 { schedule.begin(member, of: a) }
        #expect([next(), next(), next()] == [1, 2, nil])
        #expect(schedule.waitingCount == 1)
        schedule.stepFinished(by: 2)
        #expect([next(), next()] == [3, nil])
    }

    @Test mutating func `addresses take turns, those that go on and those that begin`() {
        for member in 1...2 { schedule.begin(member, of: a) }
        #expect([next(), next()] == [1, 2])
        schedule.begin(3, of: a)
        schedule.begin(4, of: b)
        for member in 1...2 { schedule.stepFinished(by: member) }
        for member in 1...2 { schedule.proceed(member, of: a) }
        #expect(Set([next(), next()]) == [1, 3])
        for member in [1, 3] { schedule.stepFinished(by: member) }
        schedule.leave(1, of: a)
        #expect(Set([next(), next()]) == [2, 4])
    }

    @Test mutating func `nobody begins without a place, and whoever is under way goes on`() {
        for member in 1...4 { schedule.begin(member, of: a) }
        for member in 1...3 {
            #expect(next() == member)
            schedule.stepFinished(by: member)
        }
        #expect(next() == nil)
        schedule.proceed(2, of: a)
        #expect(next() == 2)
        schedule.leave(3, of: a)
        #expect(next() == 4)
    }

    @Test mutating func `a place is free only when the step is over in which its handshake ended`() {
        for member in 1...4 { schedule.begin(member, of: a) }
        #expect([next(), next()] == [1, 2])
        schedule.stepFinished(by: 2)
        #expect(next() == 3)
        schedule.stepFinished(by: 3)
        schedule.leave(1, of: a)
        #expect(schedule.underWay == 3 && schedule.nextToMakeRoom == nil)
        #expect(next() == nil)
        schedule.stepFinished(by: 1)
        #expect(schedule.underWay == 2)
        #expect(next() == 4)
    }

    @Test mutating func `the one that has lasted longest makes room when others wait for it`() {
        for member in 1...3 {
            schedule.begin(member, of: a)
            #expect(next(Int64(member)) == member)
            schedule.stepFinished(by: member)
        }
        #expect(schedule.nextToMakeRoom == nil)
        schedule.begin(4, of: b)
        #expect(schedule.nextToMakeRoom?.member == 1)
        #expect(schedule.nextToMakeRoom?.from == Self.time(2))
    }

    @Test mutating func `whoever has its turn holds no memory for its hello any more`() {
        #expect(schedule.reserve(600, by: 1, from: a) == [])
        schedule.begin(1, of: a)
        #expect(schedule.reservedMemory == 600)
        #expect(next() == 1)
        #expect(schedule.reservedMemory == 0)
        #expect(schedule.reserve(600, by: 2, from: a) == [])
        #expect(schedule.reserve(600, by: 3, from: a) == [2])
        schedule.leave(3, of: a)
        #expect(schedule.reservedMemory == 0)
    }
}

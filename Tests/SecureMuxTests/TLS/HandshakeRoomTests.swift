import NIOCore
import Testing

@testable import SecureMux

@Suite struct HandshakeRoomTests {
    private var room = HandshakeRoom<String, Int>(places: 4, time: .seconds(1))

    private static func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test mutating func `it is full when all places are taken, until one leaves`() {
        for member in 1...4 {
            #expect(!room.isFull())
            room.enter(member, of: "a", at: Self.time(0))
        }
        #expect(room.isFull())
        room.leave(5, of: "a")
        #expect(room.isFull())
        room.leave(2, of: "a")
        #expect(!room.isFull() && room.count == 3)
    }

    @Test mutating func `room is made by the one that has lasted longest, of the address that has the most`() {
        room.enter(1, of: "a", at: Self.time(1))
        room.enter(2, of: "b", at: Self.time(2))
        room.enter(3, of: "b", at: Self.time(3))
        #expect(room.next?.member == 2)
        #expect(room.next?.from == Self.time(3))
        room.leave(2, of: "b")
        #expect(room.next?.member == 1)
    }

    @Test func `nobody makes room where nobody is`() {
        #expect(room.next?.member == nil)
    }
}

import NIOCore
import NIOEmbedded
import Testing

@testable import SecureMux

@Suite struct MemoryReturnTests {
    @Test func `after a crowd memory is given back once, and again after the next`() {
        let loop = EmbeddedEventLoop()
        var times = 0
        let returned = MemoryReturn(loop) { times += 1 }
        func end(_ count: Int) { for _ in 0..<count { returned.connectionClosed() } }
        end(MemoryReturn.crowd - 1)
        loop.advanceTime(by: .hours(1))
        #expect(times == 0)
        end(1000)
        #expect(times == 0)
        loop.advanceTime(by: MemoryReturn.pause)
        #expect(times == 1)
        end(MemoryReturn.crowd)
        loop.advanceTime(by: MemoryReturn.pause)
        #expect(times == 2)
    }
}

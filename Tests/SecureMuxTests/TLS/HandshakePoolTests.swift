import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import SecureMux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The threads that take the steps of handshakes.
@Suite(.timeLimit(.minutes(1))) struct HandshakePoolTests {
    private let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `the loop answers while a step is at work`() async throws {
        let pool = HandshakePool(threads: 1)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let (goesOn, isOver) = (ConditionLock(value: false), eventLoop.makePromise(of: Void.self))
        pool.run(try step()) {
            // The step is over when somebody has seen the loop answer.
            goesOn.lock(whenValue: true)
            goesOn.unlock()
            isOver.succeed()
        }
        #expect(try await eventLoop.submit { true }.get())
        goesOn.lock()
        goesOn.unlock(withValue: true)
        try await isOver.futureResult.get()
        await pool.shutdown()
    }

    @Test func `a step is taken by a thread that gives way to the loop`() async throws {
        let pool = HandshakePool(threads: 1)
        let finished = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Int32.self)
        let step = try step()
        pool.run(step) { finished.succeed(getpriority(HandshakePool.ownPriority, 0)) }
        let ours = getpriority(HandshakePool.ownPriority, 0)
        #expect(try await finished.futureResult.get() == min(ours + HandshakePool.niceness, 19))
        #expect(step.outcome == .needsInput && step.session != nil)
        await pool.shutdown()
    }

    @Test func `steps that wait when the pool ends come back untaken, and their sessions are freed`() async throws {
        let pool = HandshakePool(threads: 1)
        let (hasBegun, goesOn) = (ConditionLock(value: false), ConditionLock(value: false))
        pool.run(try step()) {
            hasBegun.lock()
            hasBegun.unlock(withValue: true)
            goesOn.lock(whenValue: true)
            goesOn.unlock()
        }
        await Task.detached {
            hasBegun.lock(whenValue: true); hasBegun.unlock()
        }.value
        let back = NIOLockedValueBox((all: 0, untaken: 0))
        func runAnother() throws -> Weak {
            let step = try step()
            pool.run(step) {
                let isUntaken = step.session == nil
                back.withLockedValue { ($0.all, $0.untaken) = ($0.all + 1, $0.untaken + (isUntaken ? 1 : 0)) }
            }
            return Weak(step: step)
        }
        let waiting = try runAnother()
        async let end: Void = pool.shutdown()
        // When the pool has begun to end, what it is given comes back at once.
        var given = 1
        while back.withLockedValue({ $0.all }) == 0 {
            given += 1
            _ = try runAnother()
            try await Task.sleep(for: .milliseconds(5))
        }
        goesOn.lock()
        goesOn.unlock(withValue: true)
        await end
        for _ in 0..<1000 where waiting.step != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(waiting.step == nil)
        #expect(back.withLockedValue { $0 } == (given, given))
    }

    private struct Weak {
        weak let step: HandshakeStep?
    }

    private func step() throws -> HandshakeStep {
        HandshakeStep(try TLSContext(server: certificates.server()), nil, receiving: ByteBuffer())
    }
}

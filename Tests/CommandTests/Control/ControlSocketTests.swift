import Foundation
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import tcp_multiplexer

@Suite struct ControlSocketTests {
    private let folder: TestFolder
    private var path: String { folder["control"] }

    init() throws {
        folder = try TestFolder()
    }

    @Test func `what is asked for is done, and said`() async throws {
        let socket = try await open { .done("did \($0.command)", "of \($0.arguments?["name"] ?? "")") }
        let response = try await ask(ControlRequest(command: "release", arguments: ["name": "inverter"]))
        #expect(response == .done("did release", "of inverter"))
        socket.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `only its user has rights to it`() async throws {
        let socket = try await open()
        defer { socket.remove() }
        let rights = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(rights == 0o600)
    }

    @Test func `a socket that was left behind is replaced`() async throws {
        let old = unixSocket(.stream)
        #expect(try #require(UnixSocketAddress(path: path)).withPointer { bind(old, $0, $1) } == 0)
        close(old)
        let socket = try await open()
        #expect(try await ask(ControlRequest(command: "x")).isDone)
        socket.remove()
    }

    @Test func `another server's socket is left to it`() async throws {
        let first = try await open()
        let error = await #expect(throws: ControlSocketError.self) { try await open() }
        #expect(error?.description == "the control socket \(path) cannot be opened: another server listens there")
        #expect(try await ask(ControlRequest(command: "x")).isDone)
        first.remove()
    }

    @Test func `a file that is no socket is kept`() async throws {
        try folder.write("precious", to: "control")
        await #expect(throws: ControlSocketError.self) { try await open() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func `a path that no socket can have is refused`() async throws {
        for path in ["", folder["missing/control"], "/tmp/" + String(repeating: "x", count: 104)] {
            await #expect(throws: ControlSocketError.self) {
                try await ControlSocket.open(at: path, logger: quiet) { _ in .done() }
            }
        }
    }

    @Test func `a socket that is another's by now is not removed`() async throws {
        let first = try await open()
        try folder.remove("control")
        let second = try await open()
        first.remove()
        #expect(try await ask(ControlRequest(command: "x")).isDone)
        second.remove()
    }

    @Test func `a hundred who say nothing keep nobody waiting`() async throws {
        let socket = try await open()
        defer { socket.remove() }
        let silent = try (0..<100).map { _ in try connection() }
        defer { for descriptor in silent { close(descriptor) } }
        for descriptor in silent.suffix(3) { #expect(send(descriptor, "{\"comm", 6, .noSignal) == 6) }
        let start = ContinuousClock.now
        #expect(try await ask(ControlRequest(command: "x")).isDone)
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test func `those who wait for what takes long keep their places`() async throws {
        let gate = NIOLockedValueBox(false)
        let socket = try await open { request in
            while request.command == "slow", !gate.withLockedValue(\.self) {
                try? await Task.sleep(for: .milliseconds(5))
            }
            return .done(request.command)
        }
        defer { socket.remove() }
        async let slow = ask(ControlRequest(command: "slow"))
        try await Task.sleep(for: .milliseconds(100))
        let silent = try (0..<100).map { _ in try connection() }
        defer { for descriptor in silent { close(descriptor) } }
        #expect(try await ask(ControlRequest(command: "quick")) == .done("quick"))
        gate.withLockedValue { $0 = true }
        #expect(try await slow == .done("slow"))
    }

    @Test(arguments: [
        ("nonsense\n", "a request is a line of JSON, such as {\"command\":\"reload\"}"),
        ("{}\n", "a request is a line of JSON, such as {\"command\":\"reload\"}"),
        (String(repeating: "x", count: 5000), "a request has 4096 bytes at most"),
    ])
    func `what is no request is refused`(text: String, reason: String) async throws {
        let socket = try await open()
        defer { socket.remove() }
        let descriptor = try connection()
        defer { close(descriptor) }
        setTimeout(of: descriptor, receiving: .seconds(10))
        _ = send(descriptor, text, text.utf8.count, .noSignal)
        let response = await offThisThread {
            var bytes = [UInt8](repeating: 0, count: 10_000)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            return ControlResponse(controlLine: bytes[..<max(count, 0)])
        }
        #expect(response == .failed([reason]))
    }

    @Test func `a response that is too long says less`() throws {
        let response = ControlResponse.failed((0..<10_000).map { "\($0): " + String(repeating: "x", count: 500) })
        let line = response.line()
        #expect(line.count <= ControlResponse.longest)
        #expect(try #require(ControlResponse(controlLine: line)).lines.first == response.lines.first)
    }

    @Test func `nobody there is said with what to do`() async throws {
        let error = await #expect(throws: ControlClientError.self) { try await ask(ControlRequest(command: "x")) }
        #expect(error?.description.hasPrefix("no server answers at \(path): No such file") == true)
        #expect(error?.description.contains("--control") == true)
    }

    @Test func `a server that does not answer in time is given up`() async throws {
        let socket = try await open { _ in
            try? await Task.sleep(for: .seconds(4))
            return .done()
        }
        defer { socket.remove() }
        let error = await #expect(throws: ControlClientError.self) {
            try await ask(ControlRequest(command: "x"), within: .seconds(1))
        }
        #expect(error?.description == "the server at \(path) has not answered for 1 s; its log says more")
    }

    private let quiet = Logger(label: "none") { _ in SwiftLogNoOpLogHandler() }

    private func open(_ answer: @escaping ControlSocket.Answer = { _ in .done() }) async throws -> ControlSocket {
        try await ControlSocket.open(at: path, logger: quiet, answer: answer)
    }

    private func connection() throws -> CInt {
        let descriptor = unixSocket(.stream)
        try #require(try #require(UnixSocketAddress(path: path)).withPointer { connect(descriptor, $0, $1) } == 0)
        return descriptor
    }

    private func ask(_ request: ControlRequest, within limit: Duration = .seconds(20)) async throws -> ControlResponse {
        let client = ControlClient(path: path)
        return try await offThisThread { Result { try client.ask(request, within: limit) } }.get()
    }
}

/// Does what may block on a thread of its own.
private func offThisThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

import ArgumentParser
import MultiplexerCore
import Testing

@testable import tcp_multiplexer

@Suite struct ListTests {
    @Test func `every protocol has one line with its name, its List.purpose(of: known) and its other names`() {
        let lines = List.text.split(separator: "\n").filter { $0.hasPrefix("* ") }
        #expect(lines.count == ApplicationProtocol.all.count)
        for (line, known) in zip(lines, ApplicationProtocol.all) {
            #expect(line.hasPrefix("* \(known.name) "))
            let purpose = List.purpose(of: known)
            #expect(line.contains("  \(purpose)"))
            #expect(
                line.hasSuffix(
                    known.aliases.isEmpty ? purpose : "(also: \(known.aliases.joined(separator: ", ")))"
                )
            )
        }
    }

    @Test func `the purposes stand in one column`() {
        let columns = zip(List.text.split(separator: "\n"), ApplicationProtocol.all).map { line, known in
            line.firstRange(of: List.purpose(of: known)).map { line.distance(from: line.startIndex, to: $0.lowerBound) }
        }
        #expect(Set(columns).count == 1 && columns.first != .some(nil))
    }

    @Test func `the example is a command line that works`() throws {
        let example = try #require(List.text.split(separator: "\n").last).split(separator: " ").map(String.init)
        let start = try #require(example.firstIndex(of: "server"))
        let serve = try Serve.parse(Array(example[(start + 1)...]))
        #expect(try serve.clientProtocol.name == "modbus")
    }
}

import Testing

@testable import MultiplexerCore

@Suite struct WriteGenerationsTests {
    /// Whose counts change when a unit is written to.
    private func changed(by unit: UInt8?) -> [UInt8?] {
        let before = WriteGenerations()
        var after = before
        after.advance(unit)
        return ([0, 1, 2, 255, nil] as [UInt8?]).filter { before[$0] != after[$0] }
    }

    @Test func `a write to a unit concerns it and whoever asks for all`() {
        #expect(changed(by: 1) == [1, nil])
        #expect(changed(by: 255) == [255, nil])
    }

    @Test func `a write to all concerns every unit`() {
        #expect(changed(by: nil) == [0, 1, 2, 255, nil])
    }

    @Test func `no count comes twice`() {
        var writes = WriteGenerations()
        var seen: Set<UInt64> = [writes[1]]
        for unit in [1, nil, 1, 1, nil] as [UInt8?] {
            writes.advance(unit)
            #expect(seen.insert(writes[1]).inserted)
        }
    }
}

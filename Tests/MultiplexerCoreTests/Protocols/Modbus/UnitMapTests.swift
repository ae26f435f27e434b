import MultiplexerCore
import Testing

@Suite struct UnitMapTests {
    @Test func `without entries every unit is itself`() {
        for map in [UnitMap(), UnitMap([:]), UnitMap([1: 1, 7: 7])] {
            for unit in UInt8.min ... .max { #expect(map[unit] == unit) }
            #expect(map == UnitMap())
        }
    }

    @Test func `a unit with an entry is another one, all others are themselves`() {
        let map = UnitMap([1: 0, 2: 7, 255: 1, 3: 3])
        for unit in UInt8.min ... .max {
            let expected: UInt8? = [1: 0, 2: 7, 255: 1][unit]
            #expect(map[unit] == expected ?? unit)
        }
        #expect(map == UnitMap([1: 0, 2: 7, 255: 1]))
        #expect(map != UnitMap())
    }
}

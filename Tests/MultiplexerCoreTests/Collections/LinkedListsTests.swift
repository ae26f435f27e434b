import Testing

@testable import MultiplexerCore

@Suite struct LinkedListsTests {
    private func members(of list: LinkedLists.List, in lists: LinkedLists) -> [Int] {
        Array(
            sequence(first: list.first) { $0.flatMap { lists.next(after: $0) } }.prefix { $0 != nil }.compactMap(\.self)
        )
    }

    @Test func `numbers are appended, put before all others and taken from the front`() {
        var lists = LinkedLists()
        var list = LinkedLists.List()
        #expect(list.isEmpty)
        #expect(lists.popFirst(of: &list) == nil)
        for number in [4, 0, 9] { lists.append(number, to: &list) }
        lists.prepend(7, to: &list)
        #expect(members(of: list, in: lists) == [7, 4, 0, 9])
        #expect(list.count == 4)
        #expect(lists.popFirst(of: &list) == 7)
        #expect(list.first == 4)
    }

    @Test(arguments: [0, 1, 2])
    func `a number is removed wherever it stands`(_ removed: Int) {
        var lists = LinkedLists()
        var list = LinkedLists.List()
        for number in 0..<3 { lists.append(number, to: &list) }
        lists.remove(removed, from: &list)
        let rest = [0, 1, 2].filter { $0 != removed }
        #expect(members(of: list, in: lists) == rest)
        lists.append(removed, to: &list)
        #expect(members(of: list, in: lists) == rest + [removed])
    }

    @Test func `several lists share the numbers`() {
        var lists = LinkedLists()
        var (even, odd) = (LinkedLists.List(), LinkedLists.List())
        for number in 0..<6 {
            if number.isMultiple(of: 2) { lists.append(number, to: &even) } else { lists.append(number, to: &odd) }
        }
        lists.remove(2, from: &even)
        lists.append(2, to: &odd)
        #expect(members(of: even, in: lists) == [0, 4])
        #expect(members(of: odd, in: lists) == [1, 3, 5, 2])
    }
}

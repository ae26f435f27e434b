/// Doubly linked lists of small numbers, each of which is in one list at most.
///
/// Whatever is done takes the same time, however long the lists are.
struct LinkedLists {
    private var links: [(previous: Int, next: Int)] = []

    /// One of the lists: its ends.
    struct List {
        fileprivate(set) var first: Int?
        fileprivate var last: Int?
        fileprivate(set) var count = 0
    }

    /// Appends a number that is in no list.
    mutating func append(_ member: Int, to list: inout List) {
        while links.count <= member { links.append((Self.none, Self.none)) }
        links[member] = (list.last ?? Self.none, Self.none)
        if let last = list.last { links[last].next = member } else { list.first = member }
        list.last = member
        list.count += 1
    }

    /// Removes a number from the list that it is in.
    mutating func remove(_ member: Int, from list: inout List) {
        let (previous, next) = links[member]
        if previous == Self.none { list.first = next == Self.none ? nil : next } else { links[previous].next = next }
        if next == Self.none {
            list.last = previous == Self.none ? nil : previous
        } else {
            links[next].previous = previous
        }
        list.count -= 1
    }

    private static let none = -1
}

/// Doubly linked lists of small numbers, each of which is in one list at most.
///
/// Each operation takes the same time, however long the lists are, and allocates only for a number above all before it.
struct LinkedLists: Sendable {
    private var links: [Link] = []

    private struct Link {
        var previous = List.end
        var next = List.end
    }

    /// One of the lists: its ends.
    struct List {
        fileprivate static let end: Int32 = -1

        fileprivate var head = end
        fileprivate var tail = end
        fileprivate var members: Int32 = 0

        var isEmpty: Bool { head == Self.end }
        var first: Int? { isEmpty ? nil : Int(head) }
        var last: Int? { isEmpty ? nil : Int(tail) }
        var count: Int { Int(members) }
    }

    /// The member after this one.
    func next(after member: Int) -> Int? {
        let next = links[member].next
        return next == List.end ? nil : Int(next)
    }

    /// Appends a number that is in no list.
    mutating func append(_ member: Int, to list: inout List) {
        makeRoom(for: member)
        links[member] = Link(previous: list.tail)
        if list.isEmpty { list.head = Int32(member) } else { links[Int(list.tail)].next = Int32(member) }
        list.tail = Int32(member)
        list.members += 1
    }

    /// Puts a number that is in no list before all others.
    mutating func prepend(_ member: Int, to list: inout List) {
        makeRoom(for: member)
        links[member] = Link(next: list.head)
        if list.isEmpty { list.tail = Int32(member) } else { links[Int(list.head)].previous = Int32(member) }
        list.head = Int32(member)
        list.members += 1
    }

    /// Removes a number from the list that it is in.
    mutating func remove(_ member: Int, from list: inout List) {
        let link = links[member]
        if link.previous == List.end { list.head = link.next } else { links[Int(link.previous)].next = link.next }
        if link.next == List.end { list.tail = link.previous } else { links[Int(link.next)].previous = link.previous }
        list.members -= 1
    }

    /// Removes the first member and returns it.
    mutating func popFirst(of list: inout List) -> Int? {
        guard let first = list.first else { return nil }
        remove(first, from: &list)
        return first
    }

    private mutating func makeRoom(for member: Int) {
        while links.count <= member { links.append(Link()) }
    }
}

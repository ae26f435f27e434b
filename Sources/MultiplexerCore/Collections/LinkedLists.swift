/// Doubly linked lists of small numbers, each of which is in one list at most.
///
/// Each operation takes the same time, however long the lists are, and allocates only for a number above all before it.
struct LinkedLists: Sendable {
    private var nodes: [Node] = []

    private struct Node {
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
        let next = nodes[member].next
        return next == List.end ? nil : Int(next)
    }

    /// Appends a number that is in no list.
    mutating func append(_ member: Int, to list: inout List) {
        makeRoom(for: member)
        nodes[member] = Node(previous: list.tail)
        if list.isEmpty { list.head = Int32(member) } else { nodes[Int(list.tail)].next = Int32(member) }
        list.tail = Int32(member)
        list.members += 1
    }

    /// Puts a number that is in no list before all others.
    mutating func prepend(_ member: Int, to list: inout List) {
        makeRoom(for: member)
        nodes[member] = Node(next: list.head)
        if list.isEmpty { list.tail = Int32(member) } else { nodes[Int(list.head)].previous = Int32(member) }
        list.head = Int32(member)
        list.members += 1
    }

    /// Removes a number from the list that it is in.
    mutating func remove(_ member: Int, from list: inout List) {
        let node = nodes[member]
        if node.previous == List.end { list.head = node.next } else { nodes[Int(node.previous)].next = node.next }
        if node.next == List.end { list.tail = node.previous } else { nodes[Int(node.next)].previous = node.previous }
        list.members -= 1
    }

    /// Removes the first member and returns it.
    mutating func popFirst(of list: inout List) -> Int? {
        guard let first = list.first else { return nil }
        remove(first, from: &list)
        return first
    }

    private mutating func makeRoom(for member: Int) {
        while nodes.count <= member { nodes.append(Node()) }
    }
}

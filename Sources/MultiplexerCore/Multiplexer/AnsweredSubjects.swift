/// What the device answered when it was asked last, of what was asked lately.
///
/// At least ``capacity`` are remembered, at most twice as many: when the newer half is full it becomes the older one, and
/// what was in that is forgotten. Nobody can tell which one drives out which but by asking that many.
struct AnsweredSubjects {
    private var newer: Set<Request.Subject> = []
    private var older: Set<Request.Subject> = []
    /// Some of the newer half, each in the place that its bits give: most answers are to what was answered just before.
    private var recent = [Request.Subject?](repeating: nil, count: 64)

    static let capacity = 256

    func contains(_ subject: Request.Subject) -> Bool {
        recent[place(of: subject)] == subject || newer.contains(subject) || older.contains(subject)
    }

    /// Whether it was not contained.
    @discardableResult
    mutating func insert(_ subject: Request.Subject) -> Bool {
        let place = place(of: subject)
        guard recent[place] != subject else { return false }
        let isNew = !contains(subject)
        if newer.count == Self.capacity, !newer.contains(subject) {
            (newer, older) = ([], newer)
            for place in recent.indices { recent[place] = nil }
        }
        newer.insert(subject)
        recent[place] = subject
        return isNew
    }

    /// Whether it was contained.
    @discardableResult
    mutating func remove(_ subject: Request.Subject) -> Bool {
        let place = place(of: subject)
        if recent[place] == subject { recent[place] = nil }
        // Both, since it may be in both.
        let wasNewer = newer.remove(subject) != nil
        let wasOlder = older.remove(subject) != nil
        return wasNewer || wasOlder
    }

    private func place(of subject: Request.Subject) -> Int {
        Int(truncatingIfNeeded: (subject.rawValue &* 0x9E37_79B9_7F4A_7C15) >> 58)
    }
}

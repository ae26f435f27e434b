/// Finds what somebody may have meant who wrote a word that is none of those there are.
enum Suggestion {
    /// The word that takes the fewest changes, if those are few; the first of several.
    static func nearest(to word: String, among known: [String]) -> String? {
        let distances = known.map { (word: $0, changes: changes(from: word, to: $0)) }
        let limit = max(1, min(word.count, 9) / 3)
        return distances.filter { $0.changes <= limit }.min { $0.changes < $1.changes }?.word
    }

    /// How many letters have to be put in, left out, changed, or exchanged with their neighbour.
    private static func changes(from first: String, to second: String) -> Int {
        // What is much longer is meant by nobody.
        let (first, second) = (Array(first.lowercased().prefix(64)), Array(second.lowercased()))
        var (beforeLast, last) = ([Int](), Array(0...second.count))
        for (row, letter) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                var least = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            (beforeLast, last) = (last, current)
        }
        return last.last ?? 0
    }
}

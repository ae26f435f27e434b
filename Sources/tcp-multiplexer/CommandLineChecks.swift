import ArgumentParser

/// What ArgumentParser lets pass without a word: of an option's two values it takes the last one, and it knows no help topics.
enum CommandLineChecks {
    /// The options that may be given several times.
    private static let lists: Set = ["--allow", "--deny", "--unit-map", "--fault"]

    /// The options that take no value, which would follow them.
    private static let shortFlags: Set = ["-v", "-d"]

    /// What else an option is called.
    private static let otherNames = [
        "-l": "--listen", "-p": "--protocol", "--applicationProtocol": "--protocol", "-t": "--target",
        "--targetServer": "--target", "--retryDelay": "--retry-delay",
    ]

    /// Lets `-v` and `-d` stand before the command too, where the Go program takes them; a command without a log ignores them.
    static func movingLogFlags(in arguments: [String]) -> [String] {
        let flags = arguments.prefix { ["-v", "-d", "-vd", "-dv", "--verbose", "--debug"].contains($0) }
        guard !flags.isEmpty, flags.count < arguments.count else { return arguments }
        let rest = arguments.dropFirst(flags.count)
        return Array(rest.first == "server" ? rest.prefix(1) + flags + rest.dropFirst() : rest)
    }

    /// Refuses an option that takes one value and is given several, and one that is given together with its opposite.
    ///
    /// Of arguments that were parsed: a word that begins with a dash is an option there, and no value.
    static func refuseRepetitions(in arguments: [String]) throws(ValidationError) {
        var seen: [String: String] = [:]
        let words = arguments.prefix { $0 != "--" }
        if let flag = words.first(where: { $0.hasPrefix("--no-") && words.contains("--" + $0.dropFirst(5)) }) {
            throw ValidationError("--\(flag.dropFirst(5)) and \(flag): these contradict each other; leave one out")
        }
        for (index, word) in words.enumerated() where isOption(word) {
            let next = words.dropFirst(index + 1).first
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = parts.dropFirst().first.map(String.init) ?? next, parts.count > 1 || !isOption(value)
            else { continue }
            for name in names(in: String(parts[0])) where !shortFlags.contains(name) {
                let option = otherNames[name] ?? name
                guard !lists.contains(option) else { continue }
                if let first = seen[option] {
                    throw ValidationError(
                        "\(first) and \(name) \(value): this option is to be given once; leave one out"
                    )
                }
                seen[option] = "\(name) \(value)"
            }
        }
    }

    /// Refuses to explain what is no command.
    static func refuseUnknownTopics(
        in arguments: [String],
        of command: any ParsableCommand.Type
    ) throws(ValidationError) {
        guard arguments.first == "help" else { return }
        var (above, name) = (command, "")
        for topic in arguments.dropFirst() where !isOption(topic) {
            guard let below = above.configuration.subcommands.first(where: { $0._commandName == topic }) else {
                // The command itself is no topic's part: "help help" is.
                if above == command, topic == "help" { continue }
                name = topic
                break
            }
            above = below
        }
        guard !name.isEmpty else { return }
        let isLeaf = above.configuration.subcommands.isEmpty
        let topics = (isLeaf ? command : above).configuration.subcommands.map { $0._commandName }
        let all = topics + (isLeaf || above == command ? ["help"] : [])
        throw ValidationError("there is no help on '\(name)', only on one of: \(all.joined(separator: ", "))")
    }

    private static func isOption(_ word: String) -> Bool { word.hasPrefix("-") && word != "-" }

    /// Several where letters stand together, as in -vl.
    private static func names(in word: String) -> [String] {
        word.hasPrefix("--") ? [word] : word.dropFirst().map { "-\($0)" }
    }
}

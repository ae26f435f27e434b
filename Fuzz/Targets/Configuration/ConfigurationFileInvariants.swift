import SecureMux
import ServerSettings

/// What must hold of a configuration file, whatever is in it.
enum ConfigurationFileInvariants {
    /// A file is read or refused; whatever is wrong has a place in it, and what was read is a file again that means the same.
    static func check(_ input: [UInt8]) throws(Violation) {
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let file: ConfigurationFile
        do {
            file = try ConfigurationFile(text: text, of: "config.yml", environment: ["HOST": "inverter.lan"])
        } catch {
            return try check(error, lines: text.utf8.count + 1)
        }
        let written = ConfigurationText(of: file.written).text
        let again: ConfigurationFile
        do {
            again = try ConfigurationFile(text: written, of: "again.yml", environment: [:])
        } catch {
            throw Violation("what was read cannot be written: \(error)")
        }
        guard ConfigurationText(of: again.written).text == written else {
            throw Violation("what was read means something else when it is written again")
        }
    }

    private static func check(_ problems: FileProblems, lines: Int) throws(Violation) {
        guard !problems.all.isEmpty else { throw Violation("a file is refused for nothing") }
        for problem in problems.all {
            guard (1...lines).contains(problem.position.line), problem.position.column >= 1 else {
                throw Violation("a problem is nowhere: \(problem)")
            }
            guard !problem.description.contains("\n") else { throw Violation("a problem takes more than a line") }
        }
    }
}

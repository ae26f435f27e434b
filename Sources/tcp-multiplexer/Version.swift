import ArgumentParser

enum Version {
    static let number = "0.1.0"
    static let text = "tcp-multiplexer \(number)"
}

struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version.")

    func run() {
        print(Version.text)
    }
}

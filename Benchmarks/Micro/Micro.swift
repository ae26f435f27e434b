/// Prints how long single steps of a request's path take.
@main enum Micro {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else { throw Usage() }
        let tls = try TLSBenchmarks.all(certificates: CommandLine.arguments[1])
        let benchmarks = FramingBenchmarks.all + CoreBenchmarks.all + tls
        let width = benchmarks.map(\.name.count).max() ?? 0
        print("nanoseconds".leftPadded(to: width + 22))
        for benchmark in benchmarks {
            let times = try benchmark.run()
            let name = benchmark.name + String(repeating: " ", count: width - benchmark.name.count)
            print("\(name)  \(times.median.text.leftPadded(to: 9))  (at best \(times.least.text))")
        }
    }
}

private struct Usage: Error, CustomStringConvertible {
    let description = "Give the folder of the development certificates; \"make bench-micro\" does."
}

extension Double {
    /// With one digit behind the point.
    fileprivate var text: String {
        let tenths = Int(self * 10 + 0.5)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

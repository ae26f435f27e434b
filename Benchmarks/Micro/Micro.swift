/// Prints how long single steps of a request's path take.
@main enum Micro {
    static func main() {
        let benchmarks = FramingBenchmarks.all + CoreBenchmarks.all
        let width = benchmarks.map(\.name.count).max() ?? 0
        print("nanoseconds".leftPadded(to: width + 22))
        for benchmark in benchmarks {
            let times = benchmark.run()
            let name = benchmark.name + String(repeating: " ", count: width - benchmark.name.count)
            print("\(name)  \(times.median.text.leftPadded(to: 9))  (at best \(times.least.text))")
        }
    }
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

let seeds: UInt64 = CommandLine.arguments.count > 1 ? UInt64(CommandLine.arguments[1])! : 100000
var failed: [String: (UInt64, Int)] = [:]
if CommandLine.arguments.count > 2 {
  if let s = Schedule(seed: UInt64(CommandLine.arguments[2])!) { print(s) }
} else {
for seed in 0..<seeds {
    var simulation = Simulation(seed: seed)
    do { try simulation.run() } catch {
        failed[error.promise, default: (seed, 0)].1 += 1
    }
}
for (promise, (seed, count)) in failed.sorted(by: { $0.value.1 > $1.value.1 }) {
  print("=====", count, seed, promise)
  if let s = Schedule(seed: seed)?.shrunk() { print(s) }
}
}

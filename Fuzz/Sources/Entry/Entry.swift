import FuzzTargets
import Glibc

/// The target that `FUZZ_TARGET` names: an argument would be lost where libFuzzer starts itself again.
///
/// Without a name, the targets and the lengths of their longest inputs are listed.
private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) }
    if let target = FuzzTarget.all.first(where: { $0.name == name }) { return target }
    for target in FuzzTarget.all { print(target.name, target.maximumInputLength) }
    exit(name == nil ? 0 : 2)
}()

/// Called once, before libFuzzer reads its arguments.
@_cdecl("tcp_multiplexer_fuzz_begin")
public func begin() {
    _ = target
}

/// Called with each input.
@_cdecl("tcp_multiplexer_fuzz_run")
public func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard let violation = target.violation(by: Array(UnsafeBufferPointer(start: bytes, count: count))) else { return }
    fatalError(violation)
}

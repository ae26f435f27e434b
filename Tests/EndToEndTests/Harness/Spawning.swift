import Foundation

/// Starts a program with these descriptors as its standard input, and output and error together; returns its pid.
///
/// Foundation's `Process` would put it into a process group of its own, out of reach of the terminal's Ctrl-C.
func spawn(
    _ executable: URL,
    _ arguments: [String],
    environment: [String: String],
    input: Int32,
    output: Int32
) throws
    -> pid_t
{
    #if canImport(Darwin)
        var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
    #else
        var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    // Threads of the concurrency pool block signals; the program must not inherit that, nor any other descriptor.
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    #if canImport(Darwin)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #else
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        // Some more, for those that other threads are opening; closing what is not open does no harm.
        for descriptor in 3...(open.max() ?? 3) + 64 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var pid: pid_t = 0
    let status = withCStrings([executable.path] + arguments) { arguments in
        withCStrings(environment.map { "\($0)=\($1)" }) { environment in
            posix_spawn(&pid, executable.path, &actions, &attributes, arguments, environment)
        }
    }
    guard status == 0 else {
        throw Disappointment(description: "\(executable.path) cannot be started: \(String(cString: strerror(status)))")
    }
    return pid
}

/// Waits for the end of a program, and blocks the thread meanwhile; its pid remains its own until ``reap(_:)``.
func awaitEnd(of pid: pid_t) {
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1, errno == EINTR {}
}

/// How a program that has ended did so.
func reap(_ pid: pid_t) -> RunningProgram.End {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
}

private func withCStrings<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let pointers = texts.map { strdup($0) }
    defer {
        for pointer in pointers { free(pointer) }
    }
    return body(pointers + [nil])
}

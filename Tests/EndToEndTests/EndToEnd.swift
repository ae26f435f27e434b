import Testing

/// The built binary against real clients.
///
/// One test after the other: they measure times, and each needs the machine for itself.
@Suite(.serialized, .timeLimit(.minutes(2)), .endsItsPrograms)
enum EndToEnd {}

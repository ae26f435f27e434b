import ArgumentParser
import SecureMux
import ServerSettings

/// Every clock of the device's side, in the order of a connection's life.
struct TimeOptions: ParsableArguments {
    @Option(help: .setting(.connectTimeout), transform: Setting.connectTimeout.checked)
    var connectTimeout: String?

    @Option(help: .setting(.delay), transform: Setting.delay.checked)
    var delay: String?

    @Option(help: .setting(.timeout), transform: Setting.timeout.checked)
    var timeout: String?

    @Option(help: .setting(.queueTimeout), transform: Setting.queueTimeout.checked)
    var queueTimeout: String?

    @Option(help: .setting(.gap), transform: Setting.gap.checked)
    var gap: String?

    @Option(help: .setting(.broadcastDelay), transform: Setting.broadcastDelay.checked)
    var broadcastDelay: String?

    @Option(help: .setting(.idleClose), transform: Setting.idleClose.checked)
    var idleClose: String?

    @Option(help: .setting(.connectionLifetime), transform: Setting.connectionLifetime.checked)
    var connectionLifetime: String?

    @Option(help: .setting(.settle), transform: Setting.settle.checked)
    var settle: String?

    @Option(help: .setting(.linger), transform: Setting.linger.checked)
    var linger: String?

    @Option(help: .setting(.quietTime), transform: Setting.quietTime.checked)
    var quietTime: String?

    @Option(
        name: [.customLong("retry-delay"), .customLong("retryDelay")],
        help: .setting(.retryDelay),
        transform: Setting.retryDelay.checked
    )
    var retryDelay: String?

    @Option(help: .setting(.retryDelayMax), transform: Setting.retryDelayMax.checked)
    var retryDelayMax: String?

    @Option(help: .setting(.drainTimeout), transform: Setting.drainTimeout.checked)
    var drainTimeout: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written[.connectTimeout] = connectTimeout
        written[.delay] = delay
        written[.timeout] = timeout
        written[.queueTimeout] = queueTimeout
        written[.gap] = gap
        written[.broadcastDelay] = broadcastDelay
        written[.idleClose] = idleClose
        written[.connectionLifetime] = connectionLifetime
        written[.settle] = settle
        written[.linger] = linger
        written[.quietTime] = quietTime
        written[.retryDelay] = retryDelay
        written[.retryDelayMax] = retryDelayMax
        written[.drainTimeout] = drainTimeout
    }
}

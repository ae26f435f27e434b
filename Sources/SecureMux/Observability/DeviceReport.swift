import Logging
import MultiplexerCore

/// A fact about a device: what the core reports, and what only its driver knows.
enum DeviceReport {
    /// What the core reports, and which request it names.
    case core(Multiplexer.Report, about: RequestWords? = nil)
    /// A request's time ran out before its answer came.
    case requestExpired(RequestWords)
    /// A client's request was answered by us.
    case requestRefused(RequestRefusal, request: String, client: Logger.MetadataValue)
    /// A response of the device cannot be put on its client's wire.
    case responseRefused
    /// Why the link ended, from whoever saw it; the core's report of the end follows.
    case linkEnded(any Error)
    /// Somebody else is to have the device for this long; nil until it is given back.
    case released(Duration?)
    /// The server stops, so that no link follows the last one.
    case stopping

    /// The client and its request: put into words only for a reader that wants them.
    struct RequestWords {
        let metadata: () -> Logger.Metadata
    }
}

/// A reader of a device's reports: the log, counters.
protocol DeviceReportReader: AnyObject {
    func read(_ report: DeviceReport)
}

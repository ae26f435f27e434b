import MultiplexerCore

/// A fact about the clients of a listener.
enum ListenerReport {
    /// A client may send requests, after its handshake if it speaks TLS.
    case connected(ClientLogger)
    /// A client has left, or ended its sending and got all its answers.
    case left(ClientLogger)
    /// A client's connection failed.
    case failed(any Error, ClientLogger)
    /// A client is sent away for something that it did, in its handshake or later.
    case refused(any ClientRefusal, ClientLogger)
    /// An address is not allowed.
    case notAllowed(client: String)
    /// An address is not allowed any more.
    case allowedNoMore(client: String)
    /// A client's certificate, or that it has none, would be refused by now.
    case trustedNoMore(any ClientRefusal, ClientLogger)
    /// A client's listener is closed, or its clients are to speak otherwise.
    case dismissed(ClientLogger)
    /// A client came when all that may be there had spoken.
    case full(Admission.Refusal, client: String)
    /// A client that had sent nothing made room for another one.
    case shed(client: String)
    /// A request took too long to come.
    case requestTimedOut(ClientLogger)
    /// A client has taken none of the `unsent` bytes that wait for it.
    case writeTimedOut(unsent: Int, ClientLogger)
    /// A client has asked for nothing for so long that it is to go.
    case idled(ClientLogger)
    /// Nobody can be accepted for now.
    case acceptPaused(any Error)
    /// Accepting failed in a way that does not pass.
    case acceptFailed(any Error)
}

/// A reader of a listener's reports: the log, counters.
protocol ListenerReportReader: AnyObject {
    func read(_ report: ListenerReport)
}

/// Gives each report of a listener to all who read them.
final class ListenerReports {
    private let readers: [any ListenerReportReader]

    init(to readers: [any ListenerReportReader]) {
        self.readers = readers
    }

    func tell(_ report: ListenerReport) {
        for reader in readers { reader.read(report) }
    }
}

@available(*, unavailable)
extension ListenerReports: Sendable {}

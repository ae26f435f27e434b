import Logging
import MultiplexerCore

/// A client as the driver sees it: whoever sends requests and is given the responses.
protocol Client: AnyObject {
    /// How it speaks.
    var wire: Wire { get }
    /// Whether the device's messages have another envelope than this client's.
    var isTranslated: Bool { get }
    /// Its address, for the log.
    var name: Logger.MetadataValue { get }
    /// How many requests were given to the driver and not yet answered.
    var unanswered: Int { get }
    /// Where the driver keeps the last of them.
    var latestRequest: UInt32? { get set }

    /// Writes a response.
    func write(_ frame: [UInt8])
    /// A request is over: answered, or a broadcast.
    func requestCompleted()
    /// Takes no more requests.
    func pause()
    /// Takes requests again, but not before the driver has carried out its actions.
    func resume()
    /// Closes the connection after all that was written; the driver hears of its end.
    func dismiss()
    /// Closes the connection after all that was written; for the driver it ends now.
    func drop()
}

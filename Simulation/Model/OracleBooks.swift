import MultiplexerCore

// What the oracle keeps its books of.
extension Oracle {
    struct Client {
        /// In the order of their coming.
        var waiting: [Int] = []
        /// How many of them were sent before: nobody could have held them back.
        var returned = 0
        var isHere = true
        var hasAsked = false
        /// What keeps the device's answers from being a reason to send what is new.
        var distrust = 0
        var gotResponse = false
        let origin: IPAddress?
        var isPaused = false
        /// How many may wait that came under a larger limit; 0 once that is over.
        var mostWaiting = 0
        var isClosed = false
        /// Turns are counted through all clients.
        var lastSent: [Bool: Int] = [:]
        var lastServed = 0
        var waitingSince = 0
        /// The last writes that were sent for it.
        var writes = Latest()
    }

    struct Request {
        enum State { case waiting, sent, ended }
        let client: ClientID
        let correlation: Correlation
        let isRead: Bool
        let expectsResponse: Bool
        let unit: UInt8?
        /// What it reads, if its answer may be shared where any is.
        let read: MultiplexerCore.Request.Read?
        let expectedContent: Content
        let goesAlone: Bool
        let subject: MultiplexerCore.Request.Subject?
        var deadline: Duration
        /// The last barrier before it.
        let barrier: Int
        /// What the device held when it came: the least that an answer asked for later shows.
        let contents: Int
        /// The writes that had ended when it came: the least that any answer shows.
        let endedWrites: Int
        var state = State.waiting
        /// It is answered by what was asked, or by a response that came, before it.
        var isServedByEarlier = false
        /// It was sent before and waits once more, or did.
        var wasReturned = false
        /// It was sent, and nobody can say that no byte of it left.
        var mayHaveLeft = false
        /// How often it was sent.
        var sendings = 0
    }

    struct FirstTurn {
        let client: ClientID
        /// What it was for has ended: others may come before, and another request of the client in its place.
        var isLoose = false
    }

    /// One time that a request was sent.
    struct Sending: Hashable {
        let serial: Int
        /// From 0.
        let number: Int
    }

    /// A response that is kept.
    struct Cached {
        let read: MultiplexerCore.Request.Read
        let unit: UInt8?
        /// The last barrier before it was asked for.
        let barrier: Int
        /// Which one it was of all that were sent.
        let sending: Int
        let value: Int?
        let time: Duration
    }

    /// Clients that were answered together.
    struct CoalescingWindow {
        let read: MultiplexerCore.Request.Read
        let clients: Int
        let end: Duration
    }

    struct Flight {
        /// What was sent.
        let serial: Int
        /// Which of its sendings.
        let number: Int
        /// Which one it was of all that were sent.
        let sending: Int
        let id: RequestID
        let sentAt: Duration
        /// The last barrier when it was sent.
        let barrier: Int
        /// Who is to be answered.
        var waiters: [Int]
        let transactionID: UInt16
        let correlation: Correlation
        let expectsResponse: Bool
        let deviceDeadline: Duration
        let isAlone: Bool
        var isUnsent = false
        /// From where the last one came that asked and has left.
        var leftFrom: IPAddress?

        func matches(_ response: Response) -> Bool {
            transactionID == response.transactionID && correlation == response.correlation
        }
    }

    struct Link {
        let id: LinkID
        let connectDeadline: Duration
        /// When it was asked for.
        let attempt: Duration
        var connectedAt: Duration?
        /// Until when the device is left alone with it.
        var settlesAt = Duration.zero
        var isDelayOver = false
        var wasAsked = false
        var hasResponded = false
        /// A request never left on it, since it had ended.
        var isDead = false
        /// A message on it could be taken for another's answer.
        var isTainted = false
        /// What that says of the device.
        var blame = Blame.nobody
        /// The device said that it takes no further request.
        var isSpent = false
        var isOverdue = false
        /// It was to be closed because it failed.
        var hasFailed = false
        /// It was closed because it was idle.
        var wasIdle = false
        var isClosing = false

        /// Neither to be closed nor, as far as anybody knows, at its end.
        var isReady: Bool { isOpen && !isDead }
        var isOpen: Bool { isDelayOver && !isClosing }
    }

    /// A time of which the rules leave open which of two it is.
    struct Bound {
        /// Nothing may happen earlier.
        var least = Duration.zero
        /// By then it must have happened.
        var most = Duration.zero

        mutating func push(to time: Duration) {
            least = max(least, time)
            most = max(most, time)
        }
    }

    /// What one event brought.
    struct Step {
        var isVisit = false
        /// Nothing was done.
        var isInVain = true
        /// What was answered.
        var matched: Flight?
        /// The requests that must be answered now.
        var toRespond: [Int] = []
        /// The request that the device meant.
        var meant: Int?
        /// The answer is what was asked for, as the world has it.
        var fits = true
        /// What the answer shows, if that is known.
        var value: Int?
        /// The response that must be kept.
        var toCache: Cached?
        /// The request that came, if its client waited for nothing.
        var arrived: Int?
        /// The request that came and must not be sent, since the device hangs up on such ones.
        var refused: Int?
        /// A stray that a device explains which does not repeat ids.
        var isExplained = false
        /// Whether an answer to it was there or on its way.
        var isResponseKnown = false
        /// The read that was sent last, with which all that are equal share.
        var leader: Int?
        /// Those whose requests ended without an answer, and broadcasts that are over, by number of sending.
        var ended: [Int] = []
        /// Requests that wait to be sent once more.
        var returned: [Int] = []
        var left: ClientID?
        /// Whether a connection failed.
        var hasFailed = false
        /// How long it was attempted, if it never stood.
        var attempt = Duration.zero
        /// What the core has to report.
        var due: [Due] = []
        var isDrainOverdue = false
        /// Which reasons there were to close a connection that works.
        var mayCloseIdle = false
        var mayRenew = false
        var mayLeave = false
        var closesQuietly = false
        /// The reasons given.
        var reported: [Multiplexer.Report] = []
    }

    /// What has to be reported, once.
    enum Due: Equatable {
        case stray, late, strayOrLate, unsolicited, broadcastResponse
        case competitor(Int)
        case closedEarly
        case again(Int)
        case timedOut([Int])
        /// The answer to a flight that these asked for.
        case damaged([Int])
        case wide
        case noise(Int)
        case mismatch(Multiplexer.MismatchPattern)
        case counted(Duration)
        case forgotten(Duration)
        case drainOverdue(Int)
        case resumed
        case heldBack([Int], Duration)
    }
}

extension Multiplexer {
    /// What one device needs; all times are measured by their own clock.
    public struct Configuration: Hashable, Sendable {
        /// Whether frames to the device carry transaction ids.
        package var carriesTransactionIDs: Bool
        /// How many requests may be in flight: taken for 1 to ``maximumInFlightLimit``, and for 1 where the wire has no ids.
        public var inFlightLimit: Int
        /// How many requests of one client may wait before its reading pauses; at least 1.
        public var waitingLimit: Int
        /// Whether equal reads that wait at the same time are answered by one.
        public var sharesReads: Bool
        /// How old a response may be that is given again to an equal read, which may join one in flight, too; nil for neither.
        ///
        /// Counted from when the response came. Never across a write to the same unit. Only where ``sharesReads``.
        public var maximumResponseAge: Duration?
        /// Whether writes go before waiting reads of other clients; while both wait they take turns.
        public var sendsWritesFirst: Bool
        /// How long the device may take to answer a request, from sending it.
        public var responseTimeout: Duration
        /// How long a client's request may take in all, from its arrival, waiting included.
        public var queueTimeout: Duration
        /// How long the device is left alone with a broadcast, which it does not answer.
        ///
        /// Modbus over Serial Line V1.02, section 2.4.1, has 100 to 200 ms as usual.
        public var broadcastDelay: Duration
        /// How long the device may take to accept the connection.
        public var connectTimeout: Duration
        /// How long the device is left alone after it accepted the connection.
        public var delayAfterConnect: Duration
        /// How long the device is left alone between its last message, or the failure to send one, and the next request.
        public var minimumGap: Duration
        /// How long no connection is opened after one has ended: some devices still count the old one.
        public var settleTime: Duration
        /// How long the line must be quiet before the next request where one was not answered; nil for what the protocol needs.
        ///
        /// Only where the wire has no transaction ids: there a late answer could be taken for the next one, even on another
        /// connection if an adapter stands before the line.
        public var quietTime: Duration?
        /// How long the connection outlasts the last client that asked anything.
        public var linger: Duration
        /// After how long without a request the connection is closed until the next one; nil for never.
        public var idleClose: Duration?
        /// How old a connection may become; nil for any age.
        ///
        /// It is renewed at a quiet moment of the last quarter of that time, and at its end between two requests in any case.
        public var connectionLifetime: Duration?
        /// When and how often connecting is tried again.
        public var backoff: Backoff
        /// How long a drain may take.
        public var drainTimeout: Duration

        /// The most requests that may be in flight; few devices take more.
        public static let maximumInFlightLimit = 16

        /// The defaults that the command documents.
        public init(
            carriesTransactionIDs: Bool = true,
            inFlightLimit: Int = 1,
            waitingLimit: Int = 32,
            sharesReads: Bool = true,
            maximumResponseAge: Duration? = nil,
            sendsWritesFirst: Bool = false,
            responseTimeout: Duration = .seconds(5),
            queueTimeout: Duration = .seconds(10),
            broadcastDelay: Duration = .milliseconds(100),
            connectTimeout: Duration = .seconds(5),
            delayAfterConnect: Duration = .zero,
            minimumGap: Duration = .zero,
            settleTime: Duration = .zero,
            quietTime: Duration? = nil,
            linger: Duration = .seconds(5),
            idleClose: Duration? = nil,
            connectionLifetime: Duration? = nil,
            backoff: Backoff = Backoff(),
            drainTimeout: Duration = .seconds(10)
        ) {
            self.carriesTransactionIDs = carriesTransactionIDs
            self.inFlightLimit = inFlightLimit
            self.waitingLimit = max(waitingLimit, 1)
            self.sharesReads = sharesReads
            self.maximumResponseAge = maximumResponseAge
            self.sendsWritesFirst = sendsWritesFirst
            self.responseTimeout = responseTimeout
            self.queueTimeout = queueTimeout
            self.broadcastDelay = broadcastDelay
            self.connectTimeout = connectTimeout
            self.delayAfterConnect = delayAfterConnect
            self.minimumGap = minimumGap
            self.settleTime = settleTime
            self.quietTime = quietTime
            self.linger = linger
            self.idleClose = idleClose
            self.connectionLifetime = connectionLifetime
            self.backoff = backoff
            self.drainTimeout = drainTimeout
        }

        /// How long the line must be quiet, whatever was asked for.
        package var effectiveQuietTime: Duration { carriesTransactionIDs ? .zero : quietTime ?? .zero }

        /// How many requests are in flight at most, whatever was asked for.
        package var effectiveInFlightLimit: Int {
            carriesTransactionIDs ? min(max(inFlightLimit, 1), Self.maximumInFlightLimit) : 1
        }
    }
}

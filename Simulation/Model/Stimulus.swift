import MultiplexerCore

/// Something that the world does to the core at some time.
///
/// Told so that it keeps its meaning when others before it are left out: connections are counted back from the newest one,
/// and a message is about a request.
struct Stimulus {
    let time: Duration
    let fact: Fact

    enum Fact {
        case joins(ClientID)
        case leaves(ClientID)
        case asks(serial: Int, Request, ClientID)
        /// A client sends a request again that was not answered.
        case repeats(serial: Int)
        case connected(age: Int)
        case closed(age: Int, midResponse: Bool = false)
        /// The request did not leave, since the connection had ended.
        case unsent(serial: Int)
        /// The device carries out what was sent; else it does so when it answers.
        case carriesOut(serial: Int, sending: Int)
        case says(Message)
        case damages(Message, ResponseDamage.Cause, isInStep: Bool)
        /// Bytes that are no message.
        case noise(Int, age: Int)
        case visit
        /// Other times and limits hold from now on.
        case configures(Multiplexer.Configuration)
        /// Somebody else is to have the device for a time, or until it is given back.
        case releases(Duration?)
        case resumes
        case drain
    }

    /// Whose doing it is, if a client's.
    var client: ClientID? {
        switch fact {
        case .joins(let client), .leaves(let client), .asks(_, _, let client): client
        case .repeats, .connected, .closed, .unsent, .carriesOut, .says, .damages, .noise, .visit, .configures,
            .releases, .resumes, .drain:
            nil
        }
    }

    /// The request that it is about, if any.
    var serial: Int? {
        switch fact {
        case .asks(let serial, _, _), .unsent(let serial), .carriesOut(let serial, _), .repeats(let serial): serial
        case .says(let message), .damages(let message, _, _): message.serial
        case .joins, .leaves, .connected, .closed, .noise, .visit, .configures,
            .releases, .resumes, .drain:
            nil
        }
    }
}

/// What a device says when a request reaches it: the answer, or something else.
struct Message {
    enum TransactionID {
        case own
        /// An older one.
        case older(UInt16)
        /// One that was never given.
        case foreign(UInt16)
        /// Zero, whatever was asked.
        case zero
        /// Its own with the bytes swapped.
        case swapped
        /// Its own and one.
        case next
    }

    /// How what it says fits what was asked for.
    enum Saying {
        case right
        /// More values than were asked for.
        case wide
        /// Fewer values, or what was not written.
        case wrong
        /// Bytes behind its content.
        case surplus
    }

    /// The request that it is about.
    let serial: Int
    /// Which time the request was sent, from 0.
    let sending: Int
    var transactionID = TransactionID.own
    /// Another unit or function than the request's.
    var correlation: Correlation?
    var saying = Saying.right
    var isUnsolicited = false
    var isLast = false
    /// The device could not do what it was asked for.
    var isFailure = false
    /// The device means it as the request's answer; without ids nobody can tell it from one.
    var isResponse = true
}

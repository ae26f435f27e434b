import MultiplexerCore

extension Multiplexer.Event {
    /// The event in few words, such as "request 3 from A".
    var text: String {
        switch self {
        case .clientJoined(let client, _): "\(client.text) joined"
        case .clientLeft(let client): "\(client.text) left"
        case .requestReceived(let id, let request, let client): "\(request.text) \(id.rawValue) from \(client.text)"
        case .requestRepeated(let id): "\(id.rawValue) again"
        case .upstreamConnected(let link): "connected \(link.rawValue)"
        case .upstreamClosed(let link, let midResponse):
            "closed \(link.rawValue)\(midResponse ? " in mid-response" : "")"
        case .requestUnsent(let id, let link): "unsent \(id.rawValue) on \(link.rawValue)"
        case .responseReceived(let response, let link): "response \(response.text) on \(link.rawValue)"
        case .responseDamaged(_, let link): "damaged on \(link.rawValue)"
        case .noiseReceived(let bytes, let link): "\(bytes) bytes of noise on \(link.rawValue)"
        case .connectingAllowed: "may connect"
        case .configurationReplaced(let configuration): "replaced: \(configuration.text)"
        case .released(let duration): "released\(duration.map { " for \($0.text)" } ?? "")"
        case .resumed: "resumed"
        case .deadlineReached: "deadline"
        case .drainRequested: "drain"
        }
    }
}

extension Multiplexer.Action {
    /// The action in few words, such as "respond 3 to A".
    var text: String {
        switch self {
        case .connect(let link): "connect \(link.rawValue)"
        case .disconnect(let link): "disconnect \(link.rawValue)"
        case .send(let id, let transactionID): "send \(id.rawValue) as \(transactionID)"
        case .respond(let id, let client): "respond \(id.rawValue) to \(client.text)"
        case .cacheResponse(let slot): "keep in \(slot)"
        case .respondCached(let id, let slot, let age, let client):
            "respond \(id.rawValue) from \(slot), \(age.text) old, to \(client.text)"
        case .fail(let id, let failure, let client): "fail \(id.rawValue) \(failure) to \(client.text)"
        case .complete(let id, let client): "complete \(id.rawValue) to \(client.text)"
        case .discard(let id): "discard \(id.rawValue)"
        case .pauseReading(let client): "pause \(client.text)"
        case .resumeReading(let client): "resume \(client.text)"
        case .closeClient(let client): "close \(client.text)"
        case .setDeadline(let time): "deadline at \(time.text)"
        case .report(let report): "(\(report.text))"
        case .drained: "drained"
        }
    }
}

extension Multiplexer.Report {
    var text: String {
        switch self {
        case .ready(let link): "ready \(link.rawValue)"
        case .backingOff(let attempt, let delay): "backing off \(attempt) for \(delay.text)"
        case .connectionLost(let unanswered): "lost with \(unanswered) unanswered"
        case .connectTimedOut(let link): "connect timed out \(link.rawValue)"
        case .responseTimedOut(let id, let transactionID): "timed out \(transactionID), request \(id.text)"
        case .replacingConnection(let link, let cause): "replacing \(link.rawValue) after \(cause)"
        case .closedUnused: "closed unused"
        case .closedEarly: "closed early"
        case .closingIdle: "closing idle"
        case .renewing: "renewing"
        case .sendingAgain(let id): "again \(id.rawValue)"
        case .sharing(let id, let other): "\(id.rawValue) shares with \(other.text)"
        case .respondsAgain: "answers again"
        case .strayResponse(let response): "stray \(response.text)"
        case .lateResponse(let response): "late \(response.text)"
        case .competitorSuspected(let strays): "competitor after \(strays)"
        case .unsolicitedMessage: "unsolicited"
        case .broadcastResponse: "broadcast answered"
        case .lastResponse: "last response"
        case .responseDamaged(let damage, let request):
            "damaged by \(damage.cause.text)\(request.map { ", answer to \($0.rawValue)" } ?? "")"
        case .wideValues(let bytes, let expected): "\(bytes) bytes instead of \(expected)"
        case .noise(let bytes): "noise of \(bytes)"
        case .mismatchRecognised(let pattern): "recognised \(pattern)"
        case .oldConnectionCounted(let delay): "old connection counted, again in \(delay.text)"
        case .oldConnectionForgotten(let time): "old connection forgotten after \(time.text)"
        case .resumed: "resumed"
        case .drainOverdue(let unanswered): "drain overdue with \(unanswered) unanswered"
        case .heldBack(let id, let delay): "held back \(id.text) for \(delay.text)"
        }
    }
}

extension ResponseDamage.Cause {
    var text: String {
        switch self {
        case .length(let announced, let content): "length \(announced) instead of \(content)"
        case .other(let found, let expected): "\(found.rawValue) instead of \(expected.rawValue)"
        case .tooFewValues(let bytes, let expected): "\(bytes) bytes instead of \(expected)"
        case .surplus(let bytes): "a surplus of \(bytes)"
        case .checksum, .reversedChecksum, .wideByteCount, .echo: "\(self)"
        }
    }
}

extension Request {
    var text: String {
        (expectsResponse ? "" : "broadcast ") + (mayWrite ? "write" : "read")
            + (read.map { " of \($0.rawValue)" } ?? unit.map { " to unit \($0)" } ?? "")
    }
}

extension Response {
    var text: String { "\(transactionID)/\(correlation.rawValue)\(isFailure ? " failure" : "")" }
}

extension RequestID? {
    var text: String { map { "\($0.rawValue)" } ?? "of nobody" }
}

extension ClientID {
    /// A to Z for the first ones.
    var text: String {
        let number = rawValue > UInt64(UInt32.max) ? rawValue >> 32 : rawValue
        return (1...26).contains(number) ? String(UnicodeScalar(UInt8(64 + number))) : "client \(number)"
    }
}

extension Duration {
    /// Seconds, such as "1.25s".
    var text: String { "\(description.prefix { $0 != " " })s" }
}

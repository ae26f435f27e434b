// A client that has done nothing wrong, and is to go.
extension ClientSession {
    /// Closes the connection between two requests: at once if all that it asked is answered, else behind the last answer.
    ///
    /// Nothing more of it is heard. Whoever has not joined yet is cut off.
    func depart(_ reason: Departure) {
        switch state {
        case .arriving:
            tell(reason)
            cutOff()
        case .joined:
            guard !isDeparting else { return }
            tell(reason)
            isDeparting = true
            stopListening()
            reserveMemory()
            if account.unanswered == 0 { drop() }
        case .leaving, .closing:
            break
        }
    }

    private func tell(_ reason: Departure) {
        switch reason {
        case .notAllowed: clients.reports.tell(.allowedNoMore(client: logger.name))
        case .notTrusted(let refusal): clients.reports.tell(.trustedNoMore(refusal, logger))
        case .dismissed: clients.reports.tell(.dismissed(logger))
        }
    }

    /// Its TLS session, if it has one and the client may send requests.
    var session: TLSHandler? { isJoined && !isDeparting ? tls : nil }
}

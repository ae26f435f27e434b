import MultiplexerCore
import NIOCore
import NIOHTTP1

// What holds for each record: it is one whole frame, keeps the limits, and is what stands on the wire on either side.

extension HTTPRequestRecord {
    /// Reads what must be the record of a request within these limits.
    init(_ record: ByteBuffer, within limits: HTTPLimits) throws(Violation) {
        let message = try record.recordMessage()
        guard let request = HTTPRequestRecord(record), request.frame == record else {
            throw Violation("no record of a request: \(message.hex)")
        }
        self = request
        // A Host from the target, and what Trailer fields say, may be in it beside.
        guard body?.readableBytes ?? 0 <= limits.body, target.utf8.count <= limits.target,
            headers.count + trailers.count <= limits.fields + 2
        else { throw Violation("a request over the limits: \(request)") }
        let isSafe =
            [.GET, .HEAD, .OPTIONS, .TRACE].contains(method) && !target.contains("?") && body?.readableBytes ?? 0 == 0
        guard HTTPMessageRules().request(message.span).mayWrite == !isSafe,
            HTTPMessageRules().summary(ofRequest: message.span).hasPrefix(method.rawValue + " ")
        else { throw Violation("a record that the rules misread: \(request)") }
    }

    /// The request that stands on the wire is this one: as it came, or as it goes to the device.
    func check(isOn wire: WireMessage) throws(Violation) {
        let fields = wire.endToEndFields.filter { !["host", "expect"].contains($0.name.lowercased()) }
        let hosts = wire.values("host")
        let announced = wire.fields.first { $0.name.lowercased() == "trailer" }
        guard wire.startLine[0] == method.rawValue, isTarget(wire.startLine[1]),
            headers.wireFields.filter({ !["host", "trailer"].contains($0.name.lowercased()) }) == fields,
            hosts.isEmpty || headers["host"].isEmpty || hosts == headers["host"],
            headers.wireFields.filter({ $0.name == "Trailer" }).allSatisfy({ $0.value == announced?.value }),
            body.bytes == wire.body, trailers.wireFields == wire.trailers
        else { throw Violation("\(self) and \(wire) are not the same") }
    }

    private func isTarget(_ text: String) -> Bool {
        if text.hasPrefix("/") || text == "*" { return text == target }
        return text.hasSuffix(target) || ["*", "/"].contains(target)
            || target.hasPrefix("/?") && text.hasSuffix(target.dropFirst())
    }

    /// What the device gets is this request and no more, for whoever reads it.
    func checkPassingOn() throws(Violation) {
        let device = try HTTPEnd.device(HTTPLimits())
        device.write(frame)
        let bytes = device.takeOutput()
        let wire = try WireMessage(.request, bytes)
        try check(isOn: wire)
        guard wire.values("host").count == 1, wire.values("connection").isEmpty,
            !headers["host"].isEmpty || wire.values("host") == [HTTPEnd.host]
        else { throw Violation("a request without its host, or one that closes: \(bytes.quoted)") }

        // One of ours can tell where it ends, and begins the next one there.
        let reader = try HTTPEnd.client(HTTPLimits())
        reader.receive(bytes)
        reader.receive(Array("GET /next HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        guard reader.records.count == 2, reader.errors.isEmpty, reader.takeOutput().isEmpty,
            let first = HTTPRequestRecord(reader.records[0]), let second = HTTPRequestRecord(reader.records[1]),
            first.method == method, first.target == target, first.body.bytes == body.bytes, second.target == "/next"
        else { throw Violation("not read as one request: \(bytes.quoted)") }
        try first.check(isOn: wire)
    }
}

extension HTTPResponseRecord {
    /// Reads what must be the record of a response within these limits.
    init(_ record: ByteBuffer, within limits: HTTPLimits) throws(Violation) {
        let message = try record.recordMessage()
        guard let response = HTTPResponseRecord(record), response.frame == record,
            HTTPMessageRules().response(message.span).isLast == response.isLast
        else { throw Violation("no record of a response: \(message.hex)") }
        self = response
        guard body?.readableBytes ?? 0 <= limits.body, headers.count + trailers.count <= limits.fields + 1 else {
            throw Violation("a response over the limits: \(response)")
        }
    }

    /// The response that stands on the wire is this one: as it came from the device, or as it goes to the client.
    func check(isOn wire: WireMessage, toHEAD isHEAD: Bool = false) throws(Violation) {
        guard wire.status == status, isHEAD || body.bytes == wire.body,
            wire.trailers.isEmpty || wire.trailers.map(\.repaired) == trailers.wireFields,
            headers.wireFields.filter({ $0.name.lowercased() != "trailer" })
                == wire.endToEndFields.map(\.repaired)
        else { throw Violation("\(self) and \(wire) are not the same") }
    }

    /// What the client gets is this response and no more, for whoever reads it.
    func checkGivingBack(toHEAD isHEAD: Bool, inHTTP1_0 isHTTP1_0: Bool) throws(Violation) {
        let client = try HTTPEnd.client(HTTPLimits())
        client.receive(Array("\(isHEAD ? "HEAD" : "GET") / HTTP/1.\(isHTTP1_0 ? 0 : 1)\r\nHost: a\r\n\r\n".utf8))
        client.write(frame)
        let bytes = client.takeOutput()
        let wire = try WireMessage(.response(toHEAD: isHEAD), bytes)
        try check(isOn: wire, toHEAD: isHEAD)
        guard client.hasEndedOutput == isHTTP1_0, wire.framing != .untilEnd,
            isHTTP1_0 ? wire.framing != .chunked : wire.trailers.count == (isHEAD ? 0 : trailers.count)
        else { throw Violation("a response that its client cannot read: \(bytes.quoted)") }
        let again = try Self.read(bytes, toHEAD: isHEAD)
        guard again.isLast == isHTTP1_0, isHEAD || again.body == body,
            isHEAD || again.declaredLength == declaredLength
        else { throw Violation("\(self) became \(again)") }
        try again.check(isOn: wire, toHEAD: isHEAD)
    }

    /// Reads what must be one response.
    static func read(_ bytes: [UInt8], toHEAD isHEAD: Bool) throws(Violation) -> HTTPResponseRecord {
        let reader = try HTTPEnd.device(HTTPLimits())
        reader.ask(isHEAD ? .HEAD : .GET)
        reader.receive(bytes)
        guard reader.records.count == 1, reader.errors.isEmpty, let record = HTTPResponseRecord(reader.records[0])
        else { throw Violation("not read as one response: \(bytes.quoted) \(reader.errors)") }
        return record
    }
}

extension HTTPEnd {
    /// Asks the device for something.
    func ask(_ method: HTTPMethod) {
        write(HTTPRequestRecord(method: method, target: "/", headers: ["Host": "a"]).frame)
        _ = takeOutput()
    }
}

extension ByteBuffer {
    /// What stands in a record, which must be one whole frame.
    fileprivate func recordMessage() throws(Violation) -> [UInt8] {
        let bytes = Array(readableBytesView)
        let verdict = HTTPRecordFraming().verdict(on: bytes[...], .request)
        guard verdict == .length(bytes.count) else { throw Violation("a record that is not one frame: \(bytes.hex)") }
        return try HTTPRecordFraming().opened(bytes[...]).message
    }
}

extension ByteBuffer? {
    fileprivate var bytes: [UInt8] { map { Array($0.readableBytesView) } ?? [] }
}

extension HTTPHeaders {
    fileprivate var wireFields: [WireMessage.Field] {
        map { WireMessage.Field(name: $0.name, value: Array($0.value.utf8)) }
    }
}

extension WireMessage.Field {
    /// The field with what is not UTF-8 in it replaced.
    fileprivate var repaired: WireMessage.Field {
        WireMessage.Field(name: name, value: Array(String(decoding: value, as: UTF8.self).utf8))
    }
}

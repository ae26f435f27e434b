import MultiplexerCore

/// A request from a client's wire to the device's, and the response on its way back; the two wires may differ.
struct Translation {
    private let client: FramingUnderTest
    private let device: FramingUnderTest

    /// ```
    /// +--------+--------+---+---------+----------+
    /// | client | device | n | request | response |
    /// +--------+--------+---+---------+----------+
    /// ```
    static func check(_ input: [UInt8], between framings: [FramingUnderTest]) throws(Violation) {
        var input = FuzzInput(input)
        guard let client = input.pick(framings), let device = input.pick(framings) else { return }
        let request = input.take(Int(input.byte()))
        try Translation(client: client, device: device).check(request, input.rest())
    }

    private func check(_ asked: [UInt8], _ answered: [UInt8]) throws(Violation) {
        guard client.takes(asked, .request) else { return }
        // Which requests are broadcasts is for the device's wire to say, which units it has for the map.
        let request = device.rules.request(asked.span)
        let forwarded = device.rules.requestForDevice(asked)
        // Others are refused.
        guard device.framing.isOneRequest(device.framing.sealed(forwarded, transactionID: 0)) else { return }
        try device.framing.checkSealed(forwarded, transactionID: 0x1234, .request)

        guard request.expectsResponse, device.takes(answered, .response, respondingTo: request),
            device.rules.response(answered.span).correlation == request.correlation
        else { return }
        let given = device.rules.responseForClient(answered, respondingTo: asked)
        // Others become failures.
        guard client.framing.isOneResponse(client.framing.sealed(given, transactionID: 0)) else { return }
        try client.framing.checkSealed(given, transactionID: 0x1234, .response)
    }
}

extension FramingUnderTest {
    /// Whether this message, sealed, is one whole frame.
    fileprivate func takes(_ message: [UInt8], _ direction: Direction, respondingTo request: Request? = nil) -> Bool {
        let frame = framing.sealed(message, transactionID: 0)
        return framing.verdict(on: frame[...], direction, respondingTo: request) == .length(frame.count)
    }
}

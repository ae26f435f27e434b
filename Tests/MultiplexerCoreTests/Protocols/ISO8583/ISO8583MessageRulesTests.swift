import MultiplexerCore
import Testing

@Suite struct ISO8583MessageRulesTests {
    static let tpdu: [UInt8] = [0x60, 0x00, 0x01, 0x00, 0x02]
    let rules = ISO8583MessageRules(messageOffset: 2)

    /// A frame of a length field that is not looked at, and what begins with this MTI.
    static func frame(_ mti: String, _ more: [UInt8] = [0xB2, 0x20]) -> [UInt8] { [0, 0] + Array(mti.utf8) + more }

    func response(_ message: [UInt8]) -> Response { rules.response(message.span) }

    @Test(
        arguments: [
            (Array("0200".utf8), "0200"), (Array("1804".utf8), "1804"), (Array("2898".utf8), "2898"),
            ([0x02, 0x00], "0200"), ([0x18, 0x14], "1814"), ([0x28, 0x99], "2899"), ([0x01, 0x00, 0xFF], "0100"),
            (tpdu + [0x02, 0x00], "0200"), (tpdu + Array("0210".utf8), "0210"),
            ([], nil), (Array("020".utf8), nil), ([0x02], nil), (tpdu, nil), (tpdu + [0x02], nil), ([0x60], nil),
            (Array("3200".utf8), nil), (Array("0000".utf8), nil), (Array("0900".utf8), nil), (Array("02A0".utf8), nil),
            (Array("0:00".utf8), nil), (Array("-200".utf8), nil), (Array("hello\n".utf8), nil),
            ([0x32, 0x00, 0x30, 0x30], nil), ([0x00, 0x00], nil), ([0x09, 0x00], nil), ([0x02, 0xA0], nil),
            ([0x02, 0x0A], nil), ([0x42, 0x00], nil), (tpdu + tpdu + [0x02, 0x00], nil),
            (Array("ISO0200".utf8), nil),
        ] as [([UInt8], String?)]
    )
    func `an MTI is found in ASCII and BCD, behind a TPDU too, and nowhere else`(_ body: [UInt8], _ mti: String?) {
        #expect(rules.messageType(of: ([0, 0] + body).span).map { "\($0)" } == mti)
        // Where the body begins makes no difference.
        #expect(ISO8583MessageRules(messageOffset: 0).messageType(of: body.span).map { "\($0)" } == mti)
        let summary = rules.summary(ofRequest: ([0, 0] + body).span)
        #expect(summary == (mti.map { "MTI \($0), " } ?? "") + "\(body.count) bytes")
    }

    @Test(
        arguments: [
            ("0100", "0110"), ("0200", "0210"), ("0220", "0230"), ("0420", "0430"), ("0800", "0810"),
            ("1804", "1814"), ("2640", "2650"), ("2160", "2170"),
            // A repeat is answered like the first one, by whomever.
            ("0201", "0210"), ("0421", "0430"), ("0200", "0212"), ("0205", "0210"),
        ]
    )
    func `a response answers the request below it`(_ request: String, _ answer: String) {
        let asked = rules.request(Self.frame(request))
        let answered = response(Self.frame(answer))
        #expect(asked.mayWrite && asked.expectsResponse)
        #expect(asked.correlation == answered.correlation && asked.correlation != .none)
        #expect(!answered.isUnsolicited)
    }

    @Test(
        arguments: [
            ("0200", "0110"), ("0200", "0230"), ("0200", "1210"), ("0200", "0410"), ("0800", "0820"),
            ("0200", "no MTI"), ("no MTI", "0210"),
        ]
    )
    func `a response answers no other request`(_ request: String, _ answer: String) {
        #expect(rules.request(Self.frame(request)).correlation != response(Self.frame(answer)).correlation)
    }

    // Trap T20: a message of the host in the stream is not the answer to whatever is asked next.
    @Test(arguments: ["0100", "0200", "0420", "0800", "0820", "1804", "0640", "0180", "2640", "0650", "1650"])
    func `what the host begins, and acknowledges unasked, is unsolicited`(_ mti: String) {
        #expect(response(Self.frame(mti)).isUnsolicited)
    }

    @Test func `an MTI in BCD answers one in ASCII`() {
        let request = rules.request([0, 0] + Self.tpdu + [0x02, 0x00])
        #expect(request.correlation == response(Self.frame("0210")).correlation)
    }

    @Test func `heartbeats are passed on and answer nothing`() {
        #expect(rules.request([0, 0]) == Request(correlation: .none, mayWrite: true, expectsResponse: false))
        #expect(response([0, 0]) == Response(correlation: .none, isUnsolicited: true))
        #expect(rules.summary(ofRequest: [0, 0].span) == "0 bytes")
    }

    @Test(arguments: ["0210", "0230", "0140", "1640", "0180", "0290", "0650", "2650"])
    func `answers and acknowledgements of a client are passed on without waiting`(_ mti: String) {
        #expect(!rules.request(Self.frame(mti)).expectsResponse)
    }

    @Test func `messages without an MTI are answered by turn`() {
        let request = rules.request(Self.frame("hello"))
        #expect(request == Request(correlation: .none, mayWrite: true))
        #expect(response(Self.frame("olleh")) == Response(correlation: .none))
    }

    @Test(arguments: 0..<8)
    func `a frame too short for anything is no trap`(_ count: Int) {
        let bytes = [UInt8](repeating: 0x60, count: count)
        for offset in [0, 2, 6, 70] {
            let rules = ISO8583MessageRules(messageOffset: offset)
            #expect(rules.messageType(of: bytes.span) == nil)
            #expect(rules.request(bytes).correlation == .none)
            #expect(rules.response(bytes.span).correlation == .none)
            #expect(rules.summary(ofRequest: bytes.span) == "\(max(0, count - offset)) bytes")
        }
    }

    @Test(arguments: Failure.allCases)
    func `there is no way to say that a request failed`(_ failure: Failure) {
        #expect(rules.respond(toFailed: Self.frame("0200"), failure) == nil)
        #expect(rules.allowsHalfClosure)
    }

    @Test(
        arguments: [
            (Array("0200".utf8), Array("0210".utf8)), (Array("0421x".utf8), Array("0431x".utf8)),
            ([0x08, 0x00], [0x08, 0x10]), (tpdu + [0x02, 0x00, 1], tpdu + [0x02, 0x10, 1]),
            (Array("0210".utf8), Array("0210".utf8)), (Array("hello".utf8), Array("hello".utf8)), ([], []),
        ] as [([UInt8], [UInt8])]
    )
    func `a request becomes its own answer`(_ request: [UInt8], _ answer: [UInt8]) {
        var bytes = [0, 0] + request
        ISO8583MessageType.makeResponse(&bytes, at: 2)
        #expect(bytes == [0, 0] + answer)
    }
}

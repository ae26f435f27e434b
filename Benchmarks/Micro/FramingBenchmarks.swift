import MultiplexerCore

/// A Modbus request and its response on their way through framing and message rules, as the driver calls them.
enum FramingBenchmarks {
    /// Reads ten registers of unit 1.
    private static let request: [UInt8] = [0, 7, 0, 0, 0, 6, 1, 3, 0, 100, 0, 10]
    private static let response: [UInt8] = [0, 7, 0, 0, 0, 23, 1, 3, 20] + (0..<20).map { UInt8($0) }

    static var all: [Benchmark] {
        let framing = ApplicationProtocol.modbus.framing
        let rules = ApplicationProtocol.modbus.messageRules
        return [
            Benchmark(name: "modbus: measure a request") { times in
                var sum = 0
                for _ in 0..<times {
                    sum &+= (try? framing.frameLength(in: request.span, .request, respondingTo: nil)) ?? 0
                }
                return sum
            },
            Benchmark(name: "modbus: understand a request") { times in
                var sum = 0
                for _ in 0..<times {
                    let envelope = framing.envelope(of: request.span)
                    let understood = rules.request(request.span.extracting(envelope.message))
                    sum &+= Int(truncatingIfNeeded: understood.correlation.rawValue)
                }
                return sum
            },
            Benchmark(name: "modbus: understand a response") { times in
                var sum = 0
                for _ in 0..<times {
                    let envelope = framing.envelope(of: response.span)
                    let understood = rules.response(response.span.extracting(envelope.message))
                    sum &+= Int(truncatingIfNeeded: understood.correlation.rawValue)
                }
                return sum
            },
            Benchmark(name: "modbus: seal a response") { times in
                var output: [UInt8] = []
                var sum = 0
                for number in 0..<times {
                    output.removeAll(keepingCapacity: true)
                    framing.seal(
                        response.span.extracting(7...),
                        transactionID: UInt16(truncatingIfNeeded: number),
                        into: &output
                    )
                    sum &+= output.count
                }
                return sum
            },
        ]
    }
}

import Testing

@testable import SimulatedDevice

@Suite struct ModbusServerTests {
    private func answers(_ requests: [UInt8]...) -> [UInt8] {
        var server = ModbusServer()
        return requests.map { server.response(to: $0, at: .seconds(1)) }.last ?? []
    }

    @Test func `SunS stands at 40000, in holding and in input registers and for every unit`() {
        #expect(answers([1, 3, 0x9C, 0x40, 0, 2]) == [1, 3, 4, 0x53, 0x75, 0x6E, 0x53])
        #expect(answers([247, 4, 0x9C, 0x40, 0, 2]) == [247, 4, 4, 0x53, 0x75, 0x6E, 0x53])
    }

    @Test func `one read fetches the whole SunSpec map and not a register more`() {
        #expect(answers([1, 3, 0x9C, 0x40, 0, 124]).count == 3 + 248)
        #expect(answers([1, 3, 0x9C, 0x40, 0, 125]) == [1, 0x83, 2])
        #expect(answers([1, 3, 0x9C, 0x3F, 0, 2]) == [1, 0x83, 2])
    }

    @Test func `a written register sticks and input registers mirror it`() {
        #expect(answers([1, 6, 0, 5, 0x12, 0x34]) == [1, 6, 0, 5, 0x12, 0x34])
        #expect(answers([1, 6, 0, 5, 0x12, 0x34], [1, 3, 0, 5, 0, 1]) == [1, 3, 2, 0x12, 0x34])
        #expect(answers([1, 6, 0, 5, 0x12, 0x34], [2, 4, 0, 4, 0, 2]) == [2, 4, 4, 0, 0, 0x12, 0x34])
    }

    @Test func `several registers are written at once`() {
        let write: [UInt8] = [1, 16, 3, 0xE6, 0, 2, 4, 0xAA, 0xBB, 0xCC, 0xDD]
        #expect(answers(write) == [1, 16, 3, 0xE6, 0, 2])
        #expect(answers(write, [1, 3, 3, 0xE6, 0, 2]) == [1, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD])
    }

    @Test func `a mask changes the bits it names`() {
        // The example of section 6.16.
        let result = answers([1, 6, 0, 4, 0, 0x12], [1, 22, 0, 4, 0, 0xF2, 0, 0x25], [1, 3, 0, 4, 0, 1])
        #expect(result == [1, 3, 2, 0, 0x17])
        #expect(answers([1, 22, 0, 4, 0, 0xF2, 0, 0x25]) == [1, 22, 0, 4, 0, 0xF2, 0, 0x25])
    }

    @Test func `read and write in one request writes first`() {
        #expect(answers([1, 23, 0, 8, 0, 2, 0, 9, 0, 1, 2, 0x55, 0x66]) == [1, 23, 4, 0, 0, 0x55, 0x66])
    }

    @Test func `a refused read keeps the write of the same request from happening`() {
        let refused: [UInt8] = [1, 23, 0x20, 0, 0, 2, 0, 9, 0, 1, 2, 0x55, 0x66]
        #expect(answers(refused) == [1, 0x97, 2])
        #expect(answers(refused, [1, 3, 0, 9, 0, 1]) == [1, 3, 2, 0, 0])
    }

    @Test func `coils are written one by one and together, and discrete inputs mirror them`() {
        #expect(answers([1, 5, 0, 3, 0xFF, 0]) == [1, 5, 0, 3, 0xFF, 0])
        #expect(answers([1, 5, 0, 3, 0xFF, 0], [1, 1, 0, 0, 0, 9]) == [1, 1, 2, 0b1000, 0])
        #expect(answers([1, 5, 0, 3, 0xFF, 0], [1, 5, 0, 3, 0, 0], [1, 1, 0, 3, 0, 1]) == [1, 1, 1, 0])
        let write: [UInt8] = [1, 15, 0, 0x13, 0, 10, 2, 0xCD, 0x01]
        #expect(answers(write) == [1, 15, 0, 0x13, 0, 10])
        #expect(answers(write, [1, 2, 0, 0x13, 0, 10]) == [1, 2, 2, 0xCD, 0x01])
    }

    @Test(
        arguments: [
            [1, 3, 3, 0xE8, 0, 1], [1, 3, 3, 0xE7, 0, 2], [1, 3, 0xFF, 0xFF, 0, 125], [1, 1, 3, 0xE8, 0, 1],
            [1, 6, 3, 0xE8, 0, 0], [1, 6, 0x9C, 0x40, 0, 0], [1, 16, 0x9C, 0x40, 0, 1, 2, 0, 0],
            [1, 5, 3, 0xE8, 0xFF, 0],
            [1, 15, 3, 0xE8, 0, 1, 1, 1], [1, 22, 0x9C, 0x40, 0, 0, 0, 0], [1, 43, 14, 4, 3],
        ] as [[UInt8]]
    )
    func `an address that is not there, or cannot be written, is an illegal data address`(request: [UInt8]) {
        #expect(answers(request) == [1, request[1] | 0x80, 2])
    }

    @Test(
        arguments: [
            [1, 3, 0, 0, 0, 0], [1, 3, 0, 0, 0, 126], [1, 4, 0, 0, 0xFF, 0xFF], [1, 1, 0, 0, 0, 0],
            [1, 1, 0, 0, 0x07, 0xD1], [1, 5, 0, 0, 0, 1], [1, 3], [1, 3, 0, 0, 0], [1, 3, 0, 0, 0, 1, 0],
            [1, 6, 0, 0, 0],
            [1, 16, 0, 0, 0, 1, 2, 0], [1, 16, 0, 0, 0, 1, 4, 0, 0], [1, 16, 0, 0, 0, 124, 248],
            [1, 15, 0, 0, 0, 9, 1, 0], [1, 15, 0, 0, 0, 8, 1], [1, 15, 0, 0, 0, 8, 1, 0, 0], [1, 43, 14, 0, 0],
            [1, 43, 14, 1], [1, 23, 0, 0, 0, 1, 0, 0, 0, 122, 244], [1, 17, 0],
        ] as [[UInt8]]
    )
    func `a wrong quantity, value or length is an illegal data value`(request: [UInt8]) {
        #expect(answers(request) == [1, request[1] | 0x80, 3])
    }

    @Test(arguments: [0, 9, 12, 20, 21, 100, 127, 0x80, 0x83, 0xFF] as [UInt8])
    func `an unknown function is an illegal function`(function: UInt8) {
        #expect(answers([1, function, 0, 0, 0, 1]) == [1, function | 0x80, 1])
    }

    @Test func `another encapsulated interface is an illegal function`() {
        #expect(answers([1, 43, 13, 0, 0]) == [1, 0xAB, 1])
    }

    @Test func `the functions of a serial line are there`() {
        // The exception status is the first 8 coils.
        #expect(answers([1, 15, 0, 0, 0, 8, 1, 0xA5], [1, 7]) == [1, 7, 0xA5])
        #expect(answers([1, 8, 0, 0, 0xA5, 0x37]) == [1, 8, 0, 0, 0xA5, 0x37])
        #expect(answers([1, 8, 0, 0]) == [1, 8, 0, 0])
        #expect(answers([1, 8, 0, 1, 0, 0]) == [1, 0x88, 1])
        // Neither what failed nor the question itself is counted.
        #expect(answers([1, 7], [1, 9], [1, 11], [1, 7], [1, 11]) == [1, 11, 0, 0, 0, 2])
    }

    @Test func `a queue is as long as its first register says`() {
        let write: [UInt8] = [1, 16, 0, 9, 0, 3, 6, 0, 2, 0x01, 0xB8, 0x12, 0x84]
        #expect(answers(write, [1, 24, 0, 9]) == [1, 24, 0, 6, 0, 2, 0x01, 0xB8, 0x12, 0x84])
        #expect(answers([1, 24, 0, 20]) == [1, 24, 0, 2, 0, 0])
        #expect(answers([1, 6, 0, 9, 0, 32], [1, 24, 0, 9]) == [1, 0x98, 3])
        #expect(answers([1, 6, 3, 0xE7, 0, 1], [1, 24, 3, 0xE7]) == [1, 0x98, 2])
    }

    @Test func `the device identifies itself`() {
        let vendor = [0, 15] + Array("tcp-multiplexer".utf8)
        let product = [1, 18] + Array("Simulated inverter".utf8)
        let version = [2, 3] + Array("1.0".utf8)
        #expect(answers([1, 43, 14, 1, 0]) == [1, 43, 14, 1, 0x81, 0, 0, 3] + vendor + product + version)
        #expect(answers([1, 43, 14, 1, 1]) == [1, 43, 14, 1, 0x81, 0, 0, 2] + product + version)
        #expect(answers([1, 43, 14, 4, 2]) == [1, 43, 14, 4, 0x81, 0, 0, 1] + version)
        #expect(answers([1, 17]) == [1, 17, 19] + Array("Simulated inverter".utf8) + [0xFF])
    }

    @Test func `no request of any function and length up to 12 traps`() {
        var server = ModbusServer()
        var generator = SystemRandomNumberGenerator()
        for function in UInt8.min...UInt8.max {
            for length in 0...12 {
                let data = (0..<length).map { _ in UInt8.random(in: 0...3, using: &generator) }
                let response = server.response(to: [1, function] + data, at: .zero)
                #expect((2...254).contains(response.count))
            }
        }
    }
}

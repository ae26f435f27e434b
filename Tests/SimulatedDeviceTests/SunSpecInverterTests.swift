import Testing

@testable import SimulatedDevice

@Suite struct SunSpecInverterTests {
    private func model103(_ elapsed: Duration) -> [UInt16] {
        Array(SunSpecInverter.registers(at: elapsed)[72..<122])
    }

    @Test func `the models follow one another and fill the whole map`() {
        let registers = SunSpecInverter.registers(at: .zero)
        #expect(registers.count == SunSpecInverter.registerCount)
        #expect(registers[0...1] == [0x5375, 0x6E53])
        #expect(registers[2...3] == [1, 66])
        #expect(registers[70...71] == [103, 50])
        #expect(registers[122...123] == [0xFFFF, 0])
    }

    @Test func `the common model names the device in strings filled up with NUL`() {
        let registers = SunSpecInverter.registers(at: .zero)
        let manufacturer = registers[4..<20].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(String(decoding: manufacturer.prefix { $0 != 0 }, as: UTF8.self) == "tcp-multiplexer")
        #expect(manufacturer.dropFirst(15).allSatisfy { $0 == 0 })
        let model = registers[20..<36].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(String(decoding: model.prefix { $0 != 0 }, as: UTF8.self) == "Simulated inverter")
    }

    @Test(arguments: [0, 1, 7, 299, 300, 301, 599, 600, 601, 86_400, 1_000_000_000])
    func `values are plausible at any time and agree with each other`(seconds: Int) {
        let data = model103(.seconds(seconds))
        let power = Int(data[12])
        #expect((500...8_000).contains(power))
        #expect(data[8...10].allSatisfy { (2_285...2_315).contains($0) })
        #expect(data[5...7].allSatisfy { (3_957...4_010).contains($0) })
        #expect((4_998...5_002).contains(data[14]))
        #expect((5_950...6_250).contains(Int(data[27])))
        #expect((250...450).contains(data[31]))
        #expect(data[36] == 4)
        // Voltage times current of the three phases is the power, within what the scale factors round off.
        let phasePower = (0..<3).map { Double(data[1 + $0]) / 100 * Double(data[8 + $0]) / 10 }.reduce(0, +)
        #expect(abs(phasePower - Double(power)) < 10)
        #expect(Int(data[29]) > power)
    }

    @Test func `scale factors stand where the model has them`() {
        let data = model103(.seconds(5))
        let factors = [4, 11, 13, 15, 17, 19, 21, 24, 26, 28, 30, 35].map { Int16(bitPattern: data[$0]) }
        #expect(factors == [-2, -1, 0, -2, 0, 0, -2, 0, -2, -1, 0, -1])
    }

    @Test func `the power follows the day`() {
        #expect(model103(.zero)[12] == 500)
        #expect(model103(.seconds(300))[12] == 8_000)
        #expect(model103(.seconds(600))[12] == 500)
        #expect(model103(.seconds(150))[12] == model103(.seconds(450))[12])
    }

    @Test func `the energy counter never falls and counts what the power delivers`() {
        func energy(_ elapsed: Duration) -> UInt32 {
            let data = model103(elapsed)
            return UInt32(data[22]) << 16 | UInt32(data[23])
        }
        let readings = (0...1_300).map { energy(.seconds($0)) }
        #expect(zip(readings, readings.dropFirst()).allSatisfy { $0 <= $1 })
        let delivered = (0..<1_200).map { Double(model103(.seconds($0))[12]) / 3_600 }.reduce(0, +)
        #expect(abs(Double(readings[1_200] - readings[0]) - delivered) < 2)
    }

    @Test func `the longest run does not trap`() {
        #expect(SunSpecInverter.registers(at: .seconds(Int64.max)).count == SunSpecInverter.registerCount)
        #expect(SunSpecInverter.registers(at: .seconds(-1)).count == SunSpecInverter.registerCount)
    }
}

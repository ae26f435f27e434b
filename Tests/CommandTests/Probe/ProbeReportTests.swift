import Testing

@testable import tcp_multiplexer

@Suite struct ProbeReportTests {
    @Test func `registers are shown as numbers, in hex and as text`() {
        let answer = ProbeAnswer.registers([0x5375, 0x6E53, 1, 0xFFFE], .holdingRegisters, 40_000..<40_004)
        #expect(
            ProbeReport(unit: 1, answer: answer).description == """
                unit 1, holding registers 40000 to 40003
                address  unsigned  signed     hex  ascii
                  40000     21365   21365  0x5375  Su
                  40001     28243   28243  0x6E53  nS
                  40002         1       1  0x0001  ..
                  40003     65534      -2  0xFFFE  ..
                text: "SunS"
                """
        )
    }

    @Test func `numbers that happen to be letters are not called text`() {
        let answer = ProbeAnswer.registers([0x4142], .inputRegisters, 7..<8)
        #expect(
            ProbeReport(unit: 3, answer: answer).description == """
                unit 3, input register 7
                address  unsigned  signed     hex  ascii
                      7     16706   16706  0x4142  AB
                """
        )
    }

    @Test func `coils are shown one by one`() {
        #expect(
            ProbeReport(unit: 1, answer: .bits([true, false], .coils, 9..<11)).description == """
                unit 1, coils 9 to 10
                address  value
                      9      1
                     10      0
                """
        )
    }

    @Test func `what was written is repeated`() {
        #expect(
            ProbeReport(unit: 1, answer: .written([7], at: 5)).description == "written: unit 1, holding register 5 = 7"
        )
        #expect(
            ProbeReport(unit: 1, answer: .written([7, 65_534], at: 5)).description
                == "written: unit 1, holding registers 5 to 6 = 7, 65534"
        )
    }
}

import Testing

@testable import MultiplexerCore

@Suite struct RespondedSubjectsTests {
    private func subject(_ value: UInt64) -> Request.Subject { Request.Subject(rawValue: value) }

    @Test func `what was answered is known until the device does not answer it`() {
        var answered = RespondedSubjects(seed: 1)
        #expect(answered.insert(subject(1)) == true)
        #expect(answered.insert(subject(1)) == false)
        #expect(answered.contains(subject(1)) && !answered.contains(subject(2)))
        #expect(answered.remove(subject(1)) == true)
        #expect(answered.remove(subject(1)) == false)
        #expect(!answered.contains(subject(1)))
    }

    // However they are numbered: nobody may drive out what others ask by asking for what shares its place.
    @Test(arguments: [1, 64, 1 << 32, 1 << 52] as [UInt64])
    func `the last 256 that were answered are all known, and no more than 512`(step: UInt64) {
        var answered = RespondedSubjects(seed: 1)
        for value in 1...2000 as ClosedRange<UInt64> { answered.insert(subject(value &* step)) }
        let known = (1...2000 as ClosedRange<UInt64>).filter { answered.contains(subject($0 &* step)) }
        #expect(known.suffix(256) == Array(1745...2000))
        #expect(known.count <= 512)
    }

    @Test func `what was answered again is as new as if it were the first time`() {
        var answered = RespondedSubjects(seed: 1)
        for value in 1...600 as ClosedRange<UInt64> {
            answered.insert(subject(0))
            answered.insert(subject(value))
        }
        #expect(answered.contains(subject(0)))
        #expect(answered.remove(subject(0)) == true)
        #expect(!answered.contains(subject(0)))
    }
}

import Foundation
import Testing

@testable import SecureMux

@Suite struct DescriptorLimitTests {
    @Test(
        arguments: [
            (1000, [400, 600], [400, 600]),
            (500, [400, 600], [200, 300]),
            (100, [4096], [100]),
            (1, [4096, 4096], [1, 1]),
            (-20, [4096], [1]),
            (100, [Int.max, Int.max], [50, 50]),
            (100, [], []),
        ]
    )
    func `descriptors are shared among listeners as they want them`(available: Int, wanted: [Int], shares: [Int]) {
        #expect(DescriptorLimit.share(available, among: wanted) == shares)
    }

    @Test func `open descriptors are counted`() throws {
        let before = DescriptorLimit.used()
        #expect(before > 2)
        let files = try (0..<50).map { _ in try #require(FileHandle(forReadingAtPath: "/dev/null")) }
        // Other tests open and close some meanwhile.
        #expect(DescriptorLimit.used() > before + 10)
        for file in files { try file.close() }
    }

    @Test func `the limit is raised as far as it may be`() throws {
        let limit = DescriptorLimit.raise()
        #expect(limit > DescriptorLimit.used())
        #expect(DescriptorLimit.raise() == limit)
    }
}

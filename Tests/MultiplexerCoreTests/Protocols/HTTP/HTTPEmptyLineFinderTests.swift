import MultiplexerCore
import Testing

@Suite struct HTTPEmptyLineFinderTests {
    @Test(arguments: [
        ("", []), ("abc", []), ("a\r\nb\r\n", []), ("\r\n\r\n", [4]), ("a\r\n\r\nb\r\n\r\n", [5, 10]),
        ("\r\n\r\n\r\n", [4, 6]), ("\r\r\n\r\n", [5]), ("\r\n\r\r\n\r\n", [7]), ("\n\r\n\r\n", [5]), ("\r\n\n\r\n", []),
        ("\r\n\r\n\n\r\n", [4]), ("\r\n\r\n\r\r\n", [4]),
    ])
    func `every empty line is found however the stream is cut`(_ stream: String, _ ends: [Int]) {
        let bytes = Array(stream.utf8)
        for size in 1...max(bytes.count, 1) {
            var finder = HTTPEmptyLineFinder()
            var (scanned, found): (Int, [Int]) = (0, [])
            for start in stride(from: 0, to: bytes.count, by: size) {
                let end = min(start + size, bytes.count)
                while scanned < end {
                    let piece = Array(bytes[scanned..<end])
                    scanned += finder.scan(piece.span)
                    if ends.contains(scanned) { found.append(scanned) } else { #expect(scanned == end) }
                }
            }
            #expect(found == ends)
        }
    }
}

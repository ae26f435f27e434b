/// Sizes as users write them: `65536` (bytes), `64k`, `1M`.
extension Int {
    /// Reads a number of bytes, or of units of 1,024 (k) or 1,048,576 (M) of them.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    package init(parsingSize text: String) throws(ConfigurationError) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit: Int? =
            switch text.dropFirst(digits.count) {
            case "": 1
            case "k", "K": 1_024
            case "M": 1_048_576
            default: nil
            }
        guard let unit, let number = Int(digits) else {
            throw ConfigurationError("'\(text)' is not a size: write 65536 (bytes), 64k or 1M")
        }
        let (size, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw ConfigurationError("'\(text)' is a larger size than can be counted") }
        self = size
    }
}

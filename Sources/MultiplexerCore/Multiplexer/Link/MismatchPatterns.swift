extension Multiplexer {
    /// How a device answers that does not repeat what it should.
    package enum MismatchPattern: Hashable, Sendable {
        /// The transaction id is 0.
        case idZero
        /// The transaction id is 0 in exceptions, and right otherwise.
        case idZeroInExceptions
        /// The bytes of the transaction id are swapped.
        case idSwapped
        /// The transaction id is one too high or too low.
        case idOffByOne
        /// The unit is always this one.
        case unit(UInt8)
    }

    /// Recognises devices that do not repeat transaction ids or units, so that nobody else is blamed for their answers.
    struct MismatchPatterns {
        private var swapped = 0
        private var offByOne = 0
        private var zero = 0
        private var zeroInExceptions = 0
        private var unit: UInt8 = 0
        private var units = 0

        /// How many times make a pattern; it is told again each time that they have doubled.
        private static let limit = 3

        /// Judges a response whose id is not that of `request`, of which it would otherwise be the answer.
        ///
        /// - Returns: Nil where it follows no pattern; else the one to be told now, if any is.
        mutating func observe(_ response: Response, instead id: UInt16) -> MismatchPattern?? {
            switch response.transactionID {
            case 0 where response.isFailure:
                zeroInExceptions += 1
                return .some(isDue(zeroInExceptions) && zero == 0 ? .idZeroInExceptions : nil)
            case 0:
                zero += 1
                return .some(isDue(zero) ? .idZero : nil)
            case id.byteSwapped:
                swapped += 1
                return .some(isDue(swapped) ? .idSwapped : nil)
            case id &+ 1, id &- 1:
                offByOne += 1
                return .some(isDue(offByOne) ? .idOffByOne : nil)
            default:
                return nil
            }
        }

        /// Judges an answer of another unit than the one that was asked; returns the pattern to be told now.
        mutating func observe(_ found: Correlation, expected: Correlation) -> MismatchPattern? {
            guard found.function == expected.function, found.unit != expected.unit else { return nil }
            if units == 0 || unit != found.unit { (unit, units) = (found.unit, 0) }
            units += 1
            return isDue(units) ? .unit(unit) : nil
        }

        private func isDue(_ count: Int) -> Bool {
            let (times, rest) = count.quotientAndRemainder(dividingBy: Self.limit)
            return rest == 0 && times.nonzeroBitCount == 1
        }
    }
}

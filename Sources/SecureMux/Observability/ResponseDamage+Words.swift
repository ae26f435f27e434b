import MultiplexerCore

extension ResponseDamage.Cause {
    /// What is wrong, in a sentence.
    var words: String {
        switch self {
        case .checksum: "its checksum is wrong"
        case .reversedChecksum: "the two bytes of its checksum are in the wrong order"
        case .wideByteCount: "its byte count takes two bytes instead of one"
        case .length(let announced, let content): "its header announces \(announced) bytes, its content has \(content)"
        case .other(let found, let expected) where found.function == expected.function:
            "it is of unit \(found.unit) instead of \(expected.unit)"
        case .other(let found, let expected):
            "it is of unit \(found.unit) and function \(found.function) instead of \(expected.unit) and "
                + "\(expected.function)"
        case .tooFewValues(let bytes, let expected): "it has \(bytes) bytes of values instead of \(expected)"
        case .echo: "it does not repeat what was written"
        case .surplus(let bytes): "it has \(bytes) bytes too many, while other answers are awaited"
        }
    }

    /// What to do about it.
    var remedy: Sentence {
        switch self {
        case .checksum: "look at the wiring, termination and baud rate of its serial line"
        case .reversedChecksum, .wideByteCount:
            "such a device cannot be read; ask its maker for a firmware that keeps to Modbus RTU"
        case .length: "ask the device's maker for a firmware that counts right; ask for one request at a time meanwhile"
        case .other(let found, let expected) where found.function == expected.function:
            "ask the device as unit \(found.unit), or set \(.unitIDs, "ignored") if it always answers as that"
        case .other, .echo: "look whether another program talks to the device, or its gateway mixes answers up"
        case .tooFewValues: "ask for the registers that the device has"
        case .surplus: "give \(.maxInFlight, "1")"
        }
    }
}

extension Multiplexer.MismatchPattern {
    /// How the device answers.
    var words: String {
        switch self {
        case .idZero: "the device answers with transaction id 0 whatever it is asked"
        case .idZeroInExceptions: "the device answers with transaction id 0 when it refuses a request"
        case .idSwapped: "the device answers with the bytes of the transaction id swapped"
        case .idOffByOne: "the device answers with a transaction id that is one off"
        case .unit(let unit): "the device answers as unit \(unit) whatever unit it is asked"
        }
    }

    /// The setting that makes it readable.
    var remedy: Sentence {
        switch self {
        case .idZero, .idZeroInExceptions, .idSwapped, .idOffByOne: "set \(.transactionIDs, "ignored")"
        case .unit(let unit): "ask it as unit \(unit), or set \(.unitIDs, "ignored")"
        }
    }
}

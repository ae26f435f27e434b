extension ApplicationProtocol {
    /// ISO 8583 after a length of two bytes, big-endian.
    public static let iso8583 = iso8583(prefix: .twoBytes)

    /// ISO 8583 after a length that is written like this.
    public static func iso8583(prefix: LengthPrefix) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "iso8583",
            summary: "ISO 8583 behind a length of 2 bytes: payment hosts and terminals",
            messages: .iso8583,
            framing: LengthPrefixFraming(prefix),
            messageRules: ISO8583MessageRules(messageOffset: prefix.messageOffset)
        )
    }

    /// ISO 8583 after a length of four ASCII digits.
    public static let mpu = mpu(prefix: .fourDigits)

    /// ISO 8583 after a length that is written like this, under the name of the switches that have four digits.
    public static func mpu(prefix: LengthPrefix) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "mpu",
            summary: "ISO 8583 behind a length of 4 ASCII digits: MPU switches",
            messages: .iso8583,
            framing: LengthPrefixFraming(prefix),
            messageRules: ISO8583MessageRules(messageOffset: prefix.messageOffset)
        )
    }

    /// Messages of any kind after a length of two bytes, big-endian.
    public static let lengthPrefixed = lengthPrefixed(prefix: .twoBytes)

    /// Messages of any kind after a length that is written like this.
    public static func lengthPrefixed(prefix: LengthPrefix) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "length-prefixed",
            summary: "messages of any kind behind their length: 2 bytes, or another form",
            messages: .opaque,
            framing: LengthPrefixFraming(prefix),
            messageRules: OpaqueMessageRules()
        )
    }
}

import MultiplexerCore
import SecureMux

/// What clients and device speak, and how it is written on the wire.
extension SettingDefinition {
    package static let protocols = [
        SettingDefinition(
            .applicationProtocol,
            of: .device,
            .applicationProtocol,
            """
            What clients speak, and the device too unless \(.deviceProtocol) says otherwise; 'tcp-multiplexer list' explains \
            each.
            """,
            default: .required("echo"),
            reload: .device
        ),
        SettingDefinition(
            .deviceProtocol,
            of: .commandLine,
            .applicationProtocol,
            """
            What the device speaks, where that is another form of Modbus than the clients': modbus, modbus-serial or \
            modbus-rtu.
            """,
            default: .words("what clients speak"),
            reload: .device
        ),
        SettingDefinition(
            .broadcast,
            of: .device,
            .truth,
            """
            Whether the device takes requests to its unit 0 for broadcasts, which it carries out and does not answer. For \
            Modbus.
            """,
            default: .words("yes if it or the clients speak modbus-serial, otherwise unit 0 is a unit like any other"),
            reload: .device
        ),
        SettingDefinition(
            .transactionIDs,
            of: .device,
            .repetition,
            """
            Whether the device repeats the transaction id of a request. With ignored one request is in flight at a time, and \
            an answer is told by unit, function and content. For a device that answers with an id of its own, as the log \
            says then. For modbus and modbus-rtu.
            """,
            default: .value("checked"),
            reload: .device
        ),
        SettingDefinition(
            .unitIDs,
            of: .device,
            .repetition,
            """
            Whether the device answers as the unit that was asked. With ignored any unit is taken, and clients get the one \
            that they asked for. For a device that always answers as unit 1 or 0, as the log says then. For Modbus.
            """,
            default: .value("checked"),
            reload: .device
        ),
    ]

    /// How messages are told apart, where a protocol lets that be chosen.
    package static let formats = [
        SettingDefinition(
            .delimiter,
            of: .device,
            .delimiter,
            """
            What ends each message of 'delimited': 1 to 16 bytes in hexadecimal, such as 0a (newline), 03 (ETX) or 0d0a.
            """,
            default: .words("0d0a"),
            reload: .device
        ),
        SettingDefinition(
            .lengthBytes,
            of: .device,
            .lengthBytes,
            """
            How many bytes the length before each message takes, 1, 2 or 4; for iso8583, mpu and length-prefixed, like the \
            next five.
            """,
            default: .words("2; mpu: 4"),
            reload: .device
        ),
        SettingDefinition(
            .lengthFormat,
            of: .device,
            .lengthFormat,
            "What the length is written with: binary, ascii (a decimal digit a byte) or bcd (two decimal digits a byte).",
            default: .words("binary; mpu: ascii"),
            reload: .device
        ),
        SettingDefinition(
            .lengthOrder,
            of: .device,
            .lengthOrder,
            "Which byte of a binary length comes first: the highest (big) or the lowest (little).",
            default: .words("big"),
            reload: .device
        ),
        SettingDefinition(
            .lengthIncludesHeader,
            of: .device,
            .truth,
            "The length counts itself and the header bytes too.",
            default: .words("only what follows it"),
            reload: .device
        ),
        SettingDefinition(
            .headerBytes,
            of: .device,
            .headerBytes,
            "How many bytes stand before the length, 0 to 64, a TPDU for example; they pass through.",
            default: .words("0"),
            reload: .device
        ),
        SettingDefinition(
            .lengthAdds,
            of: .device,
            .lengthAdds,
            """
            How many bytes each message has beyond those that the length counts, 0 to 64: reserved ones, a checksum. ISO 8583 \
            begins after them.
            """,
            default: .words("0"),
            reload: .device
        ),
        SettingDefinition(
            .maxMessage,
            of: .device,
            .size,
            """
            The longest message that is taken, all of its bytes counted: 4096, 64k, 1M. Who sends a longer one is \
            disconnected. For echo and delimited up to 1M (default: 64k), for iso8583, mpu and length-prefixed up to 64M \
            (default: what the length can tell, but not more than 1M), for http bodies up to 64M (default: 8M), where a \
            longer one is answered with 413.
            """,
            default: .words("what the protocol has"),
            reload: .device
        ),
    ]
}

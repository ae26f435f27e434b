import SecureMux

/// The device, and what may be asked of it at a time.
extension SettingDefinition {
    package static let devices = [
        SettingDefinition(
            .device,
            of: .device,
            key: "target",
            .deviceAddress,
            """
            The device: name or address, and port. It gets one connection, opened for the first request and closed \
            \(.linger) after the last client that asked anything has left.
            """,
            default: .required("127.0.0.1:1234"),
            reload: .device
        ),
        SettingDefinition(
            .source,
            of: .device,
            .sourceAddress,
            """
            Where connections to the device come from, an address and a port of this machine: 192.168.1.5:40502, or one of them. \
            A device that still counts the connection of a program that has died lets a new one from the same address and port \
            in at once, also one of a standby that has taken the address over.
            """,
            default: .words("what the system chooses"),
            reload: .device
        ),
        SettingDefinition(
            .deviceProfile,
            of: .device,
            key: "profile",
            .deviceProfile,
            """
            Times that are known to work with a kind of device, as defaults: \
            \(DeviceProfile.all.map(\.name).joined(separator: ", ")). What is given beside it wins. docs/devices.md says what \
            each sets, and who says so.
            """,
            default: .words("none"),
            reload: .inPlace
        ),
        SettingDefinition(
            .maxInFlight,
            of: .device,
            .count,
            """
            How many requests the device may have at a time, 1 to 16. Most devices take one; more is for those known to \
            answer several by their transaction ids.
            """,
            default: .value("1"),
            reload: .inPlace
        ),
    ]

    package static let readsAndWrites = [
        SettingDefinition(
            .coalesce,
            of: .device,
            .truth,
            """
            Whether equal reads of several clients that wait at the same time are answered by one: same unit, function (1 to \
            4), address and quantity, and no write to the unit between them. Off for a device whose reads have side effects, \
            such as a counter that is reset by reading it. For Modbus.
            """,
            default: .value("true"),
            reload: .inPlace
        ),
        SettingDefinition(
            .maxAge,
            of: .device,
            .duration,
            """
            Answer a read with the device's response to an equal one, if that came no longer ago than this; or with one that \
            is on its way already. A write through this program to the same unit ends that at once. What the device or other \
            programs change meanwhile is seen this much later. Never for exceptions. For Modbus.
            """,
            default: .words("none, each answer is read from the device after the request has come"),
            reload: .inPlace
        ),
        SettingDefinition(
            .writePriority,
            of: .device,
            .truth,
            """
            Writes go before the waiting reads of other clients, never before an earlier request of the same client. While \
            both wait they take turns, so that many writes slow reads down and do not stop them. For Modbus and HTTP.
            """,
            default: .value("false"),
            reload: .inPlace
        ),
    ]
}

public import MultiplexerCore

/// What is known to work with one kind of device: times other than the defaults, each with its source.
///
/// Only what somebody documents or has measured is here; `docs/devices.md` says more of each device.
public struct DeviceProfile: Hashable, Sendable {
    /// What users call it, such as "huawei-sdongle".
    public let name: String
    /// Which devices it is for, in a few words.
    public let summary: String
    /// The times that differ from the defaults, or that somebody recommends as they are; each at most once.
    public let settings: [Setting]

    /// A time that the device needs.
    public struct Setting: Hashable, Sendable {
        /// Which one.
        public let time: Time
        /// How long it is.
        public let value: Duration
        /// The address of the manual, the thread or the code that the value is from.
        public let source: String

        /// A time of this length, taken from this source.
        public init(_ time: Time, _ value: Duration, source: String) {
            self.time = time
            self.value = value
            self.source = source
        }
    }

    /// The times that a profile can set, named like those of `Multiplexer.Configuration`.
    public enum Time: Hashable, Sendable, CaseIterable {
        /// How long the device may take to answer a request.
        case responseTimeout
        /// How long it is left alone after it accepted the connection.
        case delayAfterConnect
        /// How long it is left alone between its last message and the next request.
        case minimumGap
        /// How long no connection is opened after one has ended.
        case settleTime
        /// After how long without a request the connection is closed.
        case idleClose
        /// How old a connection may become.
        case connectionLifetime
    }

    /// A profile of one's own.
    public init(name: String, summary: String, settings: [Setting]) {
        self.name = name
        self.summary = summary
        self.settings = settings
    }

    /// Sets what the profile says, and leaves the rest as it is.
    public func apply(to configuration: inout Multiplexer.Configuration) {
        for setting in settings {
            configuration[setting.time] = setting.value
        }
    }
}

extension Multiplexer.Configuration {
    /// The time that a profile can set; nil where it is off.
    package subscript(time: DeviceProfile.Time) -> Duration? {
        get {
            switch time {
            case .responseTimeout: responseTimeout
            case .delayAfterConnect: delayAfterConnect
            case .minimumGap: minimumGap
            case .settleTime: settleTime
            case .idleClose: idleClose
            case .connectionLifetime: connectionLifetime
            }
        }
        set {
            switch time {
            case .responseTimeout: responseTimeout = newValue ?? responseTimeout
            case .delayAfterConnect: delayAfterConnect = newValue ?? .zero
            case .minimumGap: minimumGap = newValue ?? .zero
            case .settleTime: settleTime = newValue ?? .zero
            case .idleClose: idleClose = newValue
            case .connectionLifetime: connectionLifetime = newValue
            }
        }
    }
}

// MARK: The known ones

extension DeviceProfile {
    /// Every profile that the program knows, the devices of one maker side by side.
    public static let all = [
        huaweiSUN2000, huaweiSDongle, huaweiEMMA, solarEdge, sungrowWiNet, fronius, sma, kostal, goodWe,
    ]

    /// The profile with this name; nil when there is none.
    public static func named(_ name: String) -> DeviceProfile? {
        all.first { $0.name == name }
    }

    /// Huawei SUN2000 inverters, reached over their own WLAN or network port.
    public static let huaweiSUN2000 = DeviceProfile(
        name: "huawei-sun2000",
        summary: "Huawei SUN2000 over its own network",
        settings: [
            Setting(.responseTimeout, .seconds(5), source: "https://github.com/evcc-io/evcc/pull/32235"),
            Setting(.delayAfterConnect, .seconds(1), source: "https://github.com/evcc-io/evcc/pull/31996"),
            Setting(.minimumGap, .milliseconds(50), source: huaweiSolarLibrary),
        ]
    )

    /// Huawei inverters behind an SDongleA.
    public static let huaweiSDongle = DeviceProfile(
        name: "huawei-sdongle",
        summary: "Huawei inverters behind an SDongleA",
        settings: [
            Setting(.responseTimeout, .seconds(10), source: huaweiSolarLibrary),
            Setting(.delayAfterConnect, .seconds(1), source: huaweiSolarLibrary),
            Setting(.minimumGap, .milliseconds(50), source: huaweiSolarLibrary),
        ]
    )

    /// Huawei EMMA, which closes a connection on which nothing is said.
    public static let huaweiEMMA = DeviceProfile(
        name: "huawei-emma",
        summary: "Huawei EMMA (SmartAssistant)",
        settings: [
            Setting(.delayAfterConnect, .zero, source: "https://github.com/wlcrs/huawei_solar/issues/1436"),
            Setting(.minimumGap, .milliseconds(50), source: huaweiSolarLibrary),
        ]
    )

    /// SolarEdge inverters, which close idle and old connections.
    public static let solarEdge = DeviceProfile(
        name: "solaredge",
        summary: "SolarEdge inverters",
        settings: [
            Setting(.minimumGap, .milliseconds(100), source: solarEdgeTechnicalNote),
            Setting(.settleTime, .milliseconds(800), source: solarEdgeModbusMulti),
            Setting(.idleClose, .seconds(90), source: solarEdgeTechnicalNote),
            Setting(.connectionLifetime, .seconds(300), source: solarEdgeMeasured),
        ]
    )

    /// Sungrow inverters behind a WiNet-S.
    public static let sungrowWiNet = DeviceProfile(
        name: "sungrow-winet",
        summary: "Sungrow inverters behind a WiNet-S",
        settings: [Setting(.minimumGap, .milliseconds(30), source: sungrowSecrets)]
    )

    /// Fronius inverters; nothing that differs from the defaults is documented.
    public static let fronius = DeviceProfile(name: "fronius", summary: "Fronius GEN24 and Datamanager", settings: [])

    /// SMA inverters; nothing that differs from the defaults is documented for all of them.
    public static let sma = DeviceProfile(name: "sma", summary: "SMA inverters", settings: [])

    /// Kostal inverters; nothing that differs from the defaults is documented.
    public static let kostal = DeviceProfile(name: "kostal", summary: "Kostal Plenticore and Piko IQ", settings: [])

    /// GoodWe inverters; nothing that differs from the defaults is documented.
    public static let goodWe = DeviceProfile(
        name: "goodwe",
        summary: "GoodWe inverters with a WiFi/LAN Kit 2.0",
        settings: []
    )
}

private let huaweiSolarLibrary =
    "https://github.com/wlcrs/huawei-solar-lib/blob/278b9e6d04b103f3d2a127b66f253e2f12081764/"
    + "src/huawei_solar/modbus_client.py"
private let solarEdgeTechnicalNote =
    "https://github.com/WillCodeForCats/solaredge-modbus-multi/blob/ca750f407012e8a3d56f0abd99b3211cec3ae2d4/"
    + "docs/sunspec-implementation-technical-note.md"
private let solarEdgeModbusMulti =
    "https://github.com/WillCodeForCats/solaredge-modbus-multi/blob/0100598a617ba017f7aafd3d1b2c417b5a15da1b/"
    + "custom_components/solaredge_modbus_multi/const.py"
private let solarEdgeMeasured =
    "https://github.com/machtnichts/modbus-proxy-rs/blob/024e091b532e51b26db5adbdc37b14a685694aad/"
    + "config/muxproxy.json"
private let sungrowSecrets =
    "https://github.com/mkaiser/Sungrow-SHx-Inverter-Modbus-Home-Assistant/blob/03844e03086ab9fe4f3011e2c2d086d3d2e103e4/"
    + "secrets.yaml"

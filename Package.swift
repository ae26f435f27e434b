// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // A dependency's next release may deprecate what we use; that must not break a clean clone.
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

let package = Package(
    name: "tcp-multiplexer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SecureMux", targets: ["SecureMux", "MultiplexerCore"]),
        .executable(name: "tcp-multiplexer", targets: ["tcp-multiplexer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CScheduler"),
        .target(
            name: "MultiplexerCore",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings
        ),
        .target(
            name: "SecureMux",
            dependencies: [
                "CMalloc",
                "COpenSSL",
                "CScheduler",
                "MultiplexerCore",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SimulatedDevice",
            dependencies: [
                "MultiplexerCore",
                "SecureMux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ServerSettings",
            dependencies: [
                "MultiplexerCore",
                "SecureMux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "tcp-multiplexer",
            dependencies: [
                "MultiplexerCore",
                "SecureMux",
                "ServerSettings",
                "SimulatedDevice",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        // In no product: what the simulation, the fuzzer and the tests run is nothing for users.
        .target(
            name: "SimulationModel",
            dependencies: ["MultiplexerCore"],
            path: "Simulation/Model",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "COpenSSL",
                "MultiplexerCore",
                "SecureMux",
                "ServerSettings",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Fuzz/Targets",
            swiftSettings: settings
        ),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: settings),
        .testTarget(
            name: "MultiplexerCoreTests",
            dependencies: ["MultiplexerCore", "SimulationModel"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SecureMuxTests",
            dependencies: [
                "COpenSSL",
                "MultiplexerCore",
                "SecureMux",
                "SimulatedDevice",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        // Sees of the library what its users see.
        .testTarget(
            name: "EmbeddingTests",
            dependencies: [
                "MultiplexerCore",
                "SecureMux",
                .product(name: "Logging", package: "swift-log"),
            ],
            packageAccess: false,
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulatedDeviceTests",
            dependencies: [
                "MultiplexerCore",
                "SimulatedDevice",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "tcp-multiplexer",
                "MultiplexerCore",
                "SecureMux",
                "ServerSettings",
                "SimulatedDevice",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServerSettingsTests",
            dependencies: ["MultiplexerCore", "SecureMux", "ServerSettings"],
            exclude: ["File/Mistakes.txt"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["tcp-multiplexer"],
            exclude: ["Clients", "Devices"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.2
// A package of its own: users of the library never resolve it. "make fuzz" builds it; see README.md.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// What the folder Sources has of the other package are links: compiled here, it is instrumented, and its `package` declarations can be seen.
let package = Package(
    name: "tcp-multiplexer-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "MultiplexerCore",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings
        ),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CScheduler"),
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
            name: "ServerSettings",
            dependencies: [
                "MultiplexerCore",
                "SecureMux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
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
            swiftSettings: settings
        ),
        .target(name: "Entry", dependencies: ["FuzzTargets"], swiftSettings: settings),
        // In C, since SwiftPM gives executables in Swift a main of their own and libFuzzer brings one.
        .executableTarget(name: "fuzz", dependencies: ["Entry"]),
    ],
    swiftLanguageModes: [.v6]
)

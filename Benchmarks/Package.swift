// swift-tools-version: 6.2
// A package of its own: users of the library never resolve it. "make bench-micro" builds it; see README.md.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // A dependency's next release may deprecate what we use; that must not break a clean clone.
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

// Core, SecureMux and those with a C are links into Sources: in this package their `package` declarations can be seen.
let package = Package(
    name: "tcp-multiplexer-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .systemLibrary(name: "CMalloc", path: "CMalloc"),
        .systemLibrary(name: "COpenSSL", path: "COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CScheduler", path: "CScheduler"),
        .target(
            name: "MultiplexerCore",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            path: "Core",
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
            path: "SecureMux",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "micro",
            dependencies: ["MultiplexerCore", "SecureMux", .product(name: "NIOCore", package: "swift-nio")],
            path: "Micro",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "tenants",
            dependencies: ["MultiplexerCore", "SecureMux", .product(name: "Logging", package: "swift-log")],
            path: "Tenants",
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)

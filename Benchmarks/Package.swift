// swift-tools-version: 6.2
// A package of its own: users of the library never resolve it. "make bench-micro" builds it; see README.md.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// Core is a link to Sources/MultiplexerCore: in this package its `package` declarations can be seen.
let package = Package(
    name: "tcp-multiplexer-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    ],
    targets: [
        .target(
            name: "MultiplexerCore",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            path: "Core",
            swiftSettings: settings
        ),
        .executableTarget(name: "micro", dependencies: ["MultiplexerCore"], path: "Micro", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

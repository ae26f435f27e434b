import Foundation
import Testing

extension EndToEnd {
    /// The scripts for those who build and install the program, with made-up programs where one is to be missing.
    @Suite struct Installation {
        private let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tcp-multiplexer-installation-\(UUID())")

        // MARK: Set-up

        #if os(Linux)
            private static let works = "#!/bin/sh\n"
            private static let fails = "#!/bin/sh\necho no linker >&2\nexit 1\n"

            /// What scripts/setup says where there is nothing but these programs and plain tools.
            private func setup(_ programs: [String: String], environment: [String: String] = [:]) async throws -> String
            {
                defer { try? FileManager.default.removeItem(at: folder) }
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for tool in [
                    "bash", "echo", "env", "sh", "uname", "sed", "awk", "xargs", "dirname", "readlink", "mktemp", "rm",
                    "id",
                ] {
                    try FileManager.default.createSymbolicLink(
                        at: folder.appendingPathComponent(tool),
                        withDestinationURL: try Tools.system(tool)
                    )
                }
                let found = Dictionary(
                    uniqueKeysWithValues: ["git", "make", "pkg-config", "openssl", "ldd", "clang"].map {
                        ($0, Self.works)
                    }
                )
                let swift = "#!/bin/sh\necho 'Swift version 6.2.1 (swift-6.2.1-RELEASE)'\n"
                let all = found.merging(["swift": swift, "swift-frontend": Self.works]) { $1 }.merging(programs) { $1 }
                for (name, text) in all where !text.isEmpty {
                    let file = folder.appendingPathComponent(name)
                    try text.write(to: file, atomically: true, encoding: .utf8)
                    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
                }
                let program = try RunningProgram(
                    Tools.repository.appendingPathComponent("scripts/setup"),
                    ["build"],
                    environment: ["PATH": folder.path, "CC": ""].merging(environment) { $1 }
                )
                let end = try await program.end()
                let words = program.lines.map(\.text).joined(separator: "\n")
                #expect(end == .exited(words.isEmpty ? 0 : 1))
                return words
            }

            @Test func `where everything is there nothing is said`() async throws {
                #expect(try await setup([:]) == "")
            }

            @Test func `a library that Swift lacks is named with its package`() async throws {
                let ldd = "#!/bin/sh\necho 'libxml2.so.2 => not found'\necho 'libm.so.6 => /lib/libm.so.6 (0x1)'\n"
                let words = try await setup(["ldd": ldd, "swift": Self.fails])
                #expect(
                    words
                        == "What Swift cannot run without (libxml2.so.2) is missing; on Debian 12 these packages hold it: libxml2."
                )
            }

            @Test func `a library of no known package is named`() async throws {
                let words = try await setup(["ldd": "#!/bin/sh\necho 'libother.so.7 => not found'\n"])
                #expect(
                    words.hasPrefix("Swift needs libother.so.7, which is missing: install the packages that swift.org")
                )
            }

            @Test func `a machine that cannot compile C is told what to install`() async throws {
                let words = try await setup(["clang": Self.fails])
                #expect(
                    words
                        == "What Swift needs to compile and link C is missing; on Debian 12 these packages hold it: g++."
                )
                let unset = try await setup([:], environment: ["CC": "no-such-compiler"])
                #expect(unset.hasPrefix("CC names no-such-compiler as the C compiler, which is not there: unset it"))
            }

            @Test func `a Swift that is missing, too old or broken is named`() async throws {
                let remedy = "install it from swift.org/install."
                #expect(try await setup(["swift": ""]) == "Swift 6.2 or newer is needed; \(remedy)")
                let old = "#!/bin/sh\necho 'Swift version 5.10.1'\n"
                #expect(try await setup(["swift": old]) == "Swift 6.2 or newer is needed (found: 5.10); \(remedy)")
                let broken = try await setup(["swift": "#!/bin/sh\necho GLIBC_2.38 not found >&2\nexit 1\n"])
                #expect(
                    broken.contains("does not run; install Swift 6.2 or newer for this system from swift.org/install")
                )
                #expect(broken.hasSuffix("It says: GLIBC_2.38 not found"))
            }
        #endif

        // MARK: make install

        @Test func `what is installed can be removed again, and nothing else is`() async throws {
            defer { try? FileManager.default.removeItem(at: folder) }
            let dist = folder.appendingPathComponent("dist")
            let licence = dist.appendingPathComponent("licenses/some-package")
            try FileManager.default.createDirectory(at: licence, withIntermediateDirectories: true)
            try "terms".write(to: licence.appendingPathComponent("LICENSE"), atomically: true, encoding: .utf8)
            let binary = dist.appendingPathComponent("tcp-multiplexer")
            try "#!/bin/sh\n".write(to: binary, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: binary.path)

            let root = folder.appendingPathComponent("root")
            let installed = root.appendingPathComponent("opt/bin/tcp-multiplexer").path
            let documents = root.appendingPathComponent("opt/share/doc/tcp-multiplexer/licenses/some-package/LICENSE")
                .path
            let places = ["DESTDIR=\(root.path)", "PREFIX=/opt", "DIST=\(dist.path)"]
            #expect(try await make(["install"] + places) == .exited(0))
            let attributes = try FileManager.default.attributesOfItem(atPath: installed)
            #expect(attributes[.posixPermissions] as? Int == 0o755)
            #expect(FileManager.default.fileExists(atPath: documents))
            // A newer version over it.
            #expect(try await make(["install"] + places) == .exited(0))

            let other = root.appendingPathComponent("opt/bin/other")
            try "".write(to: other, atomically: true, encoding: .utf8)
            #expect(try await make(["uninstall"] + places) == .exited(0))
            #expect(!FileManager.default.fileExists(atPath: installed))
            #expect(
                !FileManager.default.fileExists(
                    atPath: root.appendingPathComponent("opt/share/doc/tcp-multiplexer").path
                )
            )
            #expect(FileManager.default.fileExists(atPath: other.path))
            // Nothing is there any more, which is what was asked for.
            #expect(try await make(["uninstall"] + places) == .exited(0))
        }

        @Test func `nothing is installed before it was built`() async throws {
            #expect(try await make(["install", "DESTDIR=\(folder.path)", "DIST=\(folder.path)/none"]) == .exited(2))
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }

        @Test func `every package that is linked in has its licence beside the binary`() async throws {
            defer { try? FileManager.default.removeItem(at: folder) }
            let licences = folder.appendingPathComponent("licenses")
            let program = try RunningProgram(
                Tools.repository.appendingPathComponent("scripts/notices"),
                [licences.path, try checkouts().path]
            )
            try await #expect(program.end(within: .seconds(60)) == .exited(0), "\(program.lines.map(\.text))")
            let manifest = try String(
                contentsOf: Tools.repository.appendingPathComponent("Package.swift"),
                encoding: .utf8
            )
            let packages = manifest.matches(of: /\.package\(url: ".*\/([^"\/]+)"/).map { $0.1.lowercased() }
            #expect(packages.count >= 5)
            // What those need, what they have from others, and what they say of it.
            let others = ["swift-atomics", "swift-nio/Sources/CNIOLLHTTP", "tcp-multiplexer"]
            for package in packages + others {
                let files = try FileManager.default.contentsOfDirectory(
                    atPath: licences.appendingPathComponent(package).path
                )
                #expect(files.contains { $0.hasPrefix("LICENSE") }, "\(package)")
            }
            for notice in ["swift-nio", "swift-log", "swift-service-lifecycle"] {
                #expect(
                    FileManager.default.fileExists(atPath: licences.appendingPathComponent("\(notice)/NOTICE.txt").path)
                )
            }
            #if os(Linux)
                #expect(
                    FileManager.default.fileExists(atPath: licences.appendingPathComponent("swift/LICENSE.txt").path)
                )
            #endif
        }

        private func make(_ arguments: [String]) async throws -> RunningProgram.End {
            try await RunningProgram(Tools.system("make"), ["-C", Tools.repository.path] + arguments).end()
        }

        /// The packages' sources, above the binary that is tested.
        private func checkouts() throws -> URL {
            var folder = try Tools.multiplexer().deletingLastPathComponent()
            while folder.path != "/" {
                let checkouts = folder.appendingPathComponent("checkouts")
                if FileManager.default.fileExists(atPath: checkouts.path) { return checkouts }
                folder.deleteLastPathComponent()
            }
            throw Disappointment(description: "no checkouts above the tests")
        }
    }
}

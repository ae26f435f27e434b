// Stands in for the module of this name while the release binary is built; scripts/release says why.

/// An error that describes itself to users. None of ours does so in this way.
public protocol LocalizedError: Error {
    var errorDescription: String? { get }
}

/// Bytes; nothing makes any.
public struct Data: Sendable {
    private init() {}
}

/// Encodes nothing: ArgumentParser then prints an empty line for its unofficial `--experimental-dump-help`.
public final class JSONEncoder {
    public struct OutputFormatting: OptionSet, Sendable {
        public let rawValue: UInt
        public init(rawValue: UInt) { self.rawValue = rawValue }
        public static let prettyPrinted = OutputFormatting(rawValue: 1)
        public static let sortedKeys = OutputFormatting(rawValue: 2)
    }

    private struct Unsupported: Error {}

    public var outputFormatting: OutputFormatting = []

    public init() {}

    public func encode<T: Encodable>(_ value: T) throws -> Data { throw Unsupported() }
}

extension String {
    public enum Encoding: Sendable { case utf8 }
    public init?(data: Data, encoding: Encoding) { return nil }
}

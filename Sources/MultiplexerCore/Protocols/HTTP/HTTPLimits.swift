/// How large an HTTP message may be, on either side.
public struct HTTPLimits: Hashable, Sendable {
    /// The start line and the header fields together, in bytes; trailer fields count too.
    public var head: Int
    /// The request's target alone, in bytes.
    public var target: Int
    /// How many header fields, trailer fields included.
    public var fields: Int
    /// The body, in bytes, as it is when chunks are put together.
    public var body: Int

    /// What the limit of bodies may be: a body is held in memory as a whole, once or twice.
    public static let bodies = 1...(64 << 20)

    /// Limits of 16 KiB for the head, 8 KiB for the target, 100 fields and 8 MiB for the body, unless others are given.
    public init(head: Int = 16 << 10, target: Int = 8 << 10, fields: Int = 100, body: Int = 8 << 20) {
        self.head = head
        self.target = target
        self.fields = fields
        self.body = body
    }
}

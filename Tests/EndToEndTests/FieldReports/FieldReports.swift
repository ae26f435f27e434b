import Testing

extension EndToEnd {
    /// What real devices and clients did, byte for byte as it was reported, and what is right then.
    @Suite enum FieldReports {}
}

import SecureMux

extension Parse {
    static func deviceProfile(_ text: String) throws -> DeviceProfile {
        guard let profile = DeviceProfile.named(text) else {
            let names = DeviceProfile.all.map(\.name).joined(separator: ", ")
            throw ConfigurationError("'\(text)' is not a device profile: \(names)")
        }
        return profile
    }
}

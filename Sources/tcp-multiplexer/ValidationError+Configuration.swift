import ArgumentParser
import SecureMux
import ServerSettings

extension ValidationError {
    /// What cannot be, with the options of this command.
    init(_ error: ConfigurationError) {
        self.init(error.namingOptions)
    }
}

/// Why a request is answered by us and never sent.
package enum RequestRefusal: Hashable, Sendable, CaseIterable {
    /// There is no such function.
    case illegalFunction
    /// It is shorter or longer than its function has it.
    case length
    /// Its byte count contradicts its quantity, or is not allowed.
    case byteCount
    /// It asks for nothing, or for more than one message holds.
    case quantity
    /// It reaches beyond the last address.
    case range
    /// It names a type of reference that there is not.
    case reference
    /// The device's wire would carry it as something else than one request.
    case wire
}

extension RequestRefusal: CustomStringConvertible {
    /// What is wrong, in words that fit after "a request with ".
    package var description: String {
        switch self {
        case .illegalFunction: "a function that does not exist"
        case .length: "a length that its function does not have"
        case .byteCount: "a byte count that contradicts its quantity"
        case .quantity: "a quantity that its function does not allow"
        case .range: "a range beyond the last address"
        case .reference: "a reference type that does not exist"
        case .wire: "a length that the device could take for two requests"
        }
    }
}

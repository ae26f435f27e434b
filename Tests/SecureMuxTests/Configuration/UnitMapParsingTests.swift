import MultiplexerCore
import Testing

@testable import SecureMux

@Suite struct UnitMapParsingTests {
    @Test(
        arguments: [
            ("1=0", [1: 0]), ("1=0,2=7", [1: 0, 2: 7]), ("255=0,0=255", [255: 0, 0: 255]), ("3=3", [:]),
            ("001=07", [1: 7]), ("1=5,2=5", [1: 5, 2: 5]),
        ] as [(String, [UInt8: UInt8])]
    )
    func `pairs of the clients' and the device's unit ids are read`(text: String, units: [UInt8: UInt8]) throws {
        #expect(try UnitMap(parsing: text) == UnitMap(units))
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("1", "'1' is not one unit id for another"),
        ("1=0,", "'' is not one unit id for another"),
        (",1=0", "'' is not one unit id for another"),
        ("1=0=2", "'1=0=2' is not one unit id for another"),
        ("1:0", "'1:0' is not one unit id for another"),
        ("1=", "'' is not a unit id, 0 to 255"),
        ("=1", "'' is not a unit id, 0 to 255"),
        ("256=0", "'256' is not a unit id, 0 to 255"),
        ("1=-1", "'-1' is not a unit id, 0 to 255"),
        ("+1=0", "'+1' is not a unit id, 0 to 255"),
        ("1 = 0", "'1 ' is not a unit id, 0 to 255"),
        ("1=0, 2=7", "' 2' is not a unit id, 0 to 255"),
        ("0x1=0", "'0x1' is not a unit id, 0 to 255"),
        ("１=0", "'１' is not a unit id, 0 to 255"),
        ("99999999999999999999=0", "'99999999999999999999' is not a unit id, 0 to 255"),
        ("1=0,1=2", "it names the clients' unit 1 twice"),
        ("1=0,01=0", "it names the clients' unit 1 twice"),
    ])
    func `what is no map is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try UnitMap(parsing: text) }
        let form = "Write 1=0 or 1=0,2=7: the clients' unit id, then the device's"
        #expect(error?.description == "'\(text)' is not a map of unit ids: \(reason). \(form)")
    }
}

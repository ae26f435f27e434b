import Testing

@testable import SecureMux

@Suite struct ClientPlacesTests {
    private let log = RecordedLog()

    @Test func `each listener gets what it asks for while there is enough`() {
        #expect(ClientPlaces(sharing: 100, among: [[10, 20], [30]]).granted == [[10, 20], [30]])
        #expect(ClientPlaces(sharing: 30, among: [[10, 20], [30]]).granted == [[5, 10], [15]])
    }

    @Test func `what is shared anew is said once, and listeners and devices need descriptors themselves`() throws {
        let room = ClientPlaces.Room(openFiles: 128, free: 105)
        func share(_ wanted: [[Int]], before: ClientPlaces) throws -> ClientPlaces {
            try ClientPlaces(among: wanted, of: room, before: before, logger: log.logger)
        }
        var places = try share([[10, 20], [30]], before: ClientPlaces())
        #expect(places.granted == [[10, 20], [30]])
        #expect(log.lines.isEmpty)
        for _ in 0..<2 {
            places = try share([[50, 50], [100]], before: places)
            #expect(places.granted == [[25, 25], [50]])
            #expect(log.lines.count { $0.contains("fewer clients are accepted than configured") } == 1)
        }
        #expect(throws: ServerError.self) { try share(Array(repeating: [1], count: 60), before: places) }
    }
}

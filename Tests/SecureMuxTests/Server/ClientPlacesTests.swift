import Testing

@testable import SecureMux

@Suite struct ClientPlacesTests {
    private let log = RecordedLog()

    @Test func `each listener gets what it asks for while there is enough`() {
        #expect(ClientPlaces(sharing: 100, among: [[10, 20], [30]], openFiles: 128).granted == [[10, 20], [30]])
        #expect(ClientPlaces(sharing: 30, among: [[10, 20], [30]], openFiles: 128).granted == [[5, 10], [15]])
    }

    @Test func `a listener that asks for more gets what is spare, and no descriptor of others`() {
        var places = ClientPlaces(sharing: 100, among: [[10, 20], [30]], openFiles: 128)
        #expect(places.replace(0, of: 0, by: 50, logger: log.logger) == 50)
        #expect(log.lines.isEmpty)
        #expect(places.replace(0, of: 1, by: 1000, logger: log.logger) == 30)
        #expect(log.lines.count { $0.contains("fewer clients are accepted than configured") } == 1)
        #expect(places.replace(0, of: 0, by: 5, logger: log.logger) == 5)
        #expect(places.replace(0, of: 1, by: 1000, logger: log.logger) == 75)
        #expect(places.granted == [[5, 20], [75]])
    }
}

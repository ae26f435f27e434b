/// What is wrong with a text that a user wrote, in words that fit after "'text' is not …: ".
package struct InvalidText: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

import Foundation
import MultiplexerCore
import SecureMux
import Yams

/// The text of a configuration file that says what was written elsewhere.
package struct ConfigurationText {
    /// The file's content.
    package let text: String

    /// The file for a server that was written as options.
    ///
    /// Each device needs a name in a file: one without is called `name`.
    package init(of server: WrittenServer, name: String = "device") {
        var top = [(Node("version"), Node("1"))]
        top += Self.entries(server.process, of: .process)
        let devices = server.devices.map { device in
            (Node(device.name ?? name), Node(Self.entries(of: device)))
        }
        top.append((Node("devices"), Node(devices)))
        text = (try? Yams.serialize(node: Node(top))) ?? ""
    }

    private static func entries(of device: WrittenDevice) -> [(Node, Node)] {
        var settings = device.settings
        // What options leave out is said in a file, where nothing stands for it.
        settings[.device] = (try? device.target())?.description
        settings[.applicationProtocol] =
            settings[.deviceProtocol] ?? (try? settings.deviceProtocol())?.name ?? settings[.applicationProtocol]
        settings[.deviceProtocol] = nil
        let clients = device.settings[.deviceProtocol] == nil ? nil : device.settings[.applicationProtocol]
        let listeners = device.listeners.map { listener in
            var listener = listener
            listener[.clientProtocol] = listener[.clientProtocol] ?? clients
            listener[.listen] = listener.listenText
            return Node(entries(listener, of: .listener))
        }
        return entries(settings, of: .device) + [(Node("listeners"), Node(listeners))]
    }

    private static func entries(_ settings: WrittenSettings, of scope: SettingDefinition.Scope) -> [(Node, Node)] {
        var entries: [(Node, Node)] = []
        for key in SettingDefinition.keys(of: scope) {
            let definitions = SettingDefinition.all(of: scope).filter {
                $0.key.first == key && settings.has($0.setting)
            }
            guard let first = definitions.first else { continue }
            if first.key.count == 1 {
                entries.append((Node(key), value(of: first, in: settings)))
            } else {
                let inner = definitions.map { (Node($0.key[1]), value(of: $0, in: settings)) }
                entries.append((Node(key), Node(inner)))
            }
        }
        return entries
    }

    private static func value(of definition: SettingDefinition, in settings: WrittenSettings) -> Node {
        let texts = settings[all: definition.setting].map { text in
            // From a folder on a file is found that is not this file's, and a dollar sign begins no variable.
            let isRelative = if case .file = definition.value.kind { !text.hasPrefix("/") } else { false }
            let path = isRelative ? "\(FileManager.default.currentDirectoryPath)/\(text)" : text
            return path.replacing("$", with: "$$")
        }
        return definition.value.isList ? Node(texts.map { Node($0) }) : Node(texts.last ?? "")
    }
}

extension WrittenSettings {
    /// Where it listens, said so that it means the same in a file.
    fileprivate var listenText: String? {
        (try? self[.listen].map { try ListenAddress(parsing: $0) } ?? ListenAddress(parsing: "8000"))?.description
    }
}

// A library of somebody else's in Swift, with and without the runtime: it counts, in objects, arrays and text.

final class Node {
    let value: Int
    let next: Node?

    init(_ value: Int, _ next: Node?) {
        (self.value, self.next) = (value, next)
    }
}

nonisolated(unsafe) private var kept: [Int: Node] = [:]

@_cdecl("other_work")
public func work(_ count: CInt) -> CInt {
    var last: Node?
    for value in 1...Int(count) { last = Node(value, last) }
    kept[Int(count)] = last
    var (sum, text) = (0, "")
    while let node = last {
        sum += node.value
        text += "x"
        last = node.next
    }
    return text.utf8.count == Int(count) ? CInt(sum) : -1
}

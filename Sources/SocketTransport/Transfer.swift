/// What became of one attempt to move bytes: waiting and the end of the stream are answers, not errors.
package enum Transfer: Equatable {
    /// So many bytes went; fewer than offered is normal.
    case moved(Int)
    /// The kernel can take or give nothing now.
    case wouldBlock
    /// The peer has ended its direction (only when receiving).
    case endOfStream
}

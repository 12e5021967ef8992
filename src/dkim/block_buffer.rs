//! Canonicalized text on its way to a hash, which takes large pieces sooner than small ones.

use super::block::BLOCK;

/// Where canonicalized text goes.
pub(crate) trait Sink {
    /// Takes a piece of any size.
    fn text(&mut self, piece: &[u8]);

    /// Takes the first octets of a block. A copy of a size that is known beforehand costs next to nothing.
    fn start_of(&mut self, block: &[u8; BLOCK], octets: usize) {
        self.text(block.get(..octets).unwrap_or(block));
    }
}

impl<F: FnMut(&[u8])> Sink for F {
    fn text(&mut self, piece: &[u8]) {
        self(piece);
    }
}

impl Sink for Vec<u8> {
    fn text(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// Octets that are buffered; a multiple of those that hash functions take at once.
const SIZE: usize = 1024;
/// Octets that SHA-1 and SHA-256 take at once.
const HASH_BLOCK: usize = 64;

/// Pieces that wait for others; always fewer than `SIZE` octets.
#[derive(Clone, Debug)]
pub(crate) struct BlockBuffer {
    octets: [u8; SIZE + BLOCK],
    len: usize,
}

impl BlockBuffer {
    pub(crate) fn new() -> Self {
        Self { octets: [0; SIZE + BLOCK], len: 0 }
    }

    /// A sink that gives out what is ready, in multiples of `HASH_BLOCK`.
    pub(super) fn to<F: FnMut(&[u8])>(&mut self, out: F) -> Filling<'_, F> {
        Filling { buffer: self, out }
    }

    /// Gives out what was buffered.
    pub(crate) fn flush(&mut self, mut out: impl FnMut(&[u8])) {
        let len = std::mem::take(&mut self.len);
        if len > 0 {
            out(self.octets.get(..len).unwrap_or_default());
        }
    }

    fn copy(&mut self, piece: &[u8]) {
        let end = self.len + piece.len();
        if let Some(place) = self.octets.get_mut(self.len..end) {
            place.copy_from_slice(piece);
            self.len = end;
        }
    }
}

/// [`BlockBuffer`] with the place it gives out to.
pub(super) struct Filling<'g, F> {
    buffer: &'g mut BlockBuffer,
    out: F,
}

impl<F: FnMut(&[u8])> Filling<'_, F> {
    /// What does not fit fills the buffer; then whole blocks pass through as they are.
    fn overflow(&mut self, piece: &[u8]) {
        let Self { buffer, out } = self;
        let (head, rest) = piece.split_at(if buffer.len == 0 { 0 } else { SIZE - buffer.len });
        buffer.copy(head);
        buffer.flush(&mut *out);
        let (whole, tail) = rest.split_at(rest.len() / HASH_BLOCK * HASH_BLOCK);
        if !whole.is_empty() {
            out(whole);
        }
        buffer.copy(tail);
    }
}

impl<F: FnMut(&[u8])> Sink for Filling<'_, F> {
    fn text(&mut self, piece: &[u8]) {
        if self.buffer.len + piece.len() < SIZE { self.buffer.copy(piece) } else { self.overflow(piece) }
    }

    fn start_of(&mut self, block: &[u8; BLOCK], octets: usize) {
        let BlockBuffer { octets: buffer, len } = &mut *self.buffer;
        if let Some(place) = buffer.get_mut(*len..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
            *place = *block;
            *len += octets.min(BLOCK);
        }
        if *len >= SIZE {
            (self.out)(buffer.get(..SIZE).unwrap_or_default());
            // Fewer than a block are left.
            buffer.copy_within(SIZE.., 0);
            *len -= SIZE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #[test]
        fn nothing_is_lost_or_moved(pieces in vec((select(vec![0, 1, 20, 63, 500, SIZE - 1, SIZE, SIZE + 7, 4000]), any::<bool>()), 0..40)) {
            let mut octets = (0..=u8::MAX).cycle();
            let (mut buffer, mut given, mut pushed) = (BlockBuffer::new(), Vec::new(), Vec::new());
            let mut sink = buffer.to(|text: &[u8]| {
                assert_eq!(text.len() % HASH_BLOCK, 0);
                given.extend_from_slice(text);
            });
            for (length, as_block) in pieces {
                let piece: Vec<u8> = octets.by_ref().take(length).collect();
                match piece.first_chunk::<BLOCK>() {
                    Some(block) if as_block => {
                        sink.start_of(block, length % (BLOCK + 1));
                        pushed.extend_from_slice(&block[..length % (BLOCK + 1)]);
                    }
                    _ => {
                        sink.text(&piece);
                        pushed.extend_from_slice(&piece);
                    }
                }
            }
            buffer.flush(|text| given.extend_from_slice(text));
            prop_assert_eq!(given, pushed);
        }
    }
}

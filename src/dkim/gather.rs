//! Small pieces of text on their way to a hash, which takes large ones sooner.

/// Gathers pieces until they fill `SIZE` octets; what is longer passes through as it is.
#[derive(Clone, Debug)]
pub(crate) struct Gathered<const SIZE: usize> {
    octets: [u8; SIZE],
    len: usize,
}

impl<const SIZE: usize> Gathered<SIZE> {
    pub(crate) fn new() -> Self {
        Self { octets: [0; SIZE], len: 0 }
    }

    /// Takes a piece; `out` is given what is ready.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        if self.copy(piece).is_none() {
            self.flush(out);
            if self.copy(piece).is_none() {
                out(piece);
            }
        }
    }

    /// Gives out what was gathered.
    pub(crate) fn flush(&mut self, out: &mut impl FnMut(&[u8])) {
        let len = std::mem::take(&mut self.len);
        if len > 0 {
            out(self.octets.get(..len).unwrap_or_default());
        }
    }

    /// Copies the piece where there is room for all of it.
    fn copy(&mut self, piece: &[u8]) -> Option<()> {
        let end = self.len.checked_add(piece.len())?;
        self.octets.get_mut(self.len..end)?.copy_from_slice(piece);
        self.len = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn nothing_is_lost_or_moved(lengths in vec(0_usize..20, 0..40)) {
            let mut octets = 0..=u8::MAX;
            let pieces: Vec<Vec<u8>> =
                lengths.iter().map(|length| (0..*length).map(|_| octets.next().unwrap_or(0)).collect()).collect();
            let (mut gathered, mut given) = (Gathered::<8>::new(), Vec::new());
            pieces.iter().for_each(|piece| gathered.push(piece, &mut |text| given.extend_from_slice(text)));
            gathered.flush(&mut |text| given.extend_from_slice(text));
            prop_assert_eq!(given, pieces.concat());
        }
    }
}

//! Memory that is used again: asking the system for fresh pages costs more than filling them.

use std::sync::{Mutex, PoisonError};

/// Buffers that are kept at most.
const MAX_BUFFERS: usize = 32;
/// Octets of a buffer that is kept.
const MAX_OCTETS: usize = 1 << 20;

/// Empty buffers for whoever needs one.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_BUFFERS && buffer.capacity() <= MAX_OCTETS {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_large_ones_not_at_all() {
        let buffers = Buffers::default();
        buffers.give(Vec::with_capacity(MAX_OCTETS + 1));
        assert_eq!(buffers.take().capacity(), 0);
        buffers.give(b"results".to_vec());
        let buffer = buffers.take();
        assert!(buffer.is_empty() && buffer.capacity() >= 7);
        for _ in 0..=MAX_BUFFERS {
            buffers.give(vec![0]);
        }
        assert_eq!(buffers.0.lock().unwrap().len(), MAX_BUFFERS);
    }
}

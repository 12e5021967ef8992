//! Octets that are read in pieces, as a network gives them.
#![allow(clippy::indexing_slicing, unreachable_pub)]

use std::io::{self, Read};

/// Octets in pieces of so many.
pub struct Pieces<'o>(pub &'o [u8], pub usize);

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(to.len()).min(self.0.len());
        let (piece, rest) = self.0.split_at(len);
        to[..len].copy_from_slice(piece);
        self.0 = rest;
        Ok(len)
    }
}

//! Packets: a length of four octets, a letter, and what belongs to it.

use std::fmt;

/// Octets of a packet behind its length. Mail servers send bodies in pieces of 65535 octets, and header fields whole.
pub const MAX_FRAME: usize = 2 << 20;

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'f> {
    /// Which command it is.
    pub letter: u8,
    /// What belongs to it.
    pub data: &'f [u8],
}

/// Why what came is no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Its length is none.
    Empty,
    /// It would have more than [`MAX_FRAME`] octets.
    TooLong {
        /// The length that it says it has.
        octets: u32,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a packet without a command"),
            Self::TooLong { octets } => write!(f, "a packet of {octets} octets; no more than {MAX_FRAME} are taken"),
        }
    }
}

/// Octets as they come, taken apart into packets.
///
/// No more is kept than a packet that is not whole yet, and what came with its end.
#[derive(Debug, Default)]
pub struct Frames {
    octets: Vec<u8>,
    /// Where the next packet begins.
    at: usize,
}

impl Frames {
    /// Where what comes next is to be put.
    pub fn room(&mut self) -> &mut Vec<u8> {
        if self.at > 0 {
            self.octets.drain(..self.at);
            self.at = 0;
        }
        &mut self.octets
    }

    /// The next packet; `None` until it is whole.
    ///
    /// # Errors
    /// [`FrameError`], after which nothing that follows can be made out.
    pub fn take(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = length_of(*length)?;
        let Some(packet) = rest.get(..length) else { return Ok(None) };
        self.at += 4 + length;
        let (letter, data) = packet.split_first().unwrap_or((&0, &[]));
        Ok(Some(Frame { letter: *letter, data }))
    }

    /// Whether the next packet is there.
    ///
    /// # Errors
    /// Those of [`take`](Self::take).
    pub fn is_whole(&self) -> Result<bool, FrameError> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(false) };
        Ok(rest.len() >= length_of(*length)?)
    }

    /// Whether the rest of a packet is still to come.
    pub fn is_midway(&self) -> bool {
        self.octets.len() > self.at
    }
}

fn length_of(octets: [u8; 4]) -> Result<usize, FrameError> {
    let octets = u32::from_be_bytes(octets);
    match usize::try_from(octets).unwrap_or(usize::MAX) {
        0 => Err(FrameError::Empty),
        length @ 1..=MAX_FRAME => Ok(length),
        _ => Err(FrameError::TooLong { octets }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frames: &mut Frames) -> Result<Vec<(u8, Vec<u8>)>, FrameError> {
        let mut found = Vec::new();
        while let Some(Frame { letter, data }) = frames.take()? {
            found.push((letter, data.to_vec()));
        }
        Ok(found)
    }

    #[test]
    fn packets_come_in_pieces_of_any_size() {
        let stream = b"\0\0\0\x01A\0\0\0\x04Habc\0\0\0\x01Q";
        let expected = vec![(b'A', vec![]), (b'H', b"abc".to_vec()), (b'Q', vec![])];
        for size in 1..=stream.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                frames.room().extend_from_slice(piece);
                found.extend(all(&mut frames).unwrap());
            }
            assert_eq!(found, expected, "{size}");
            assert!(!frames.is_midway() && frames.room().is_empty());
        }
    }

    #[test]
    fn lengths_that_lie_are_errors() {
        for (length, error) in [
            (0_u32, Some(FrameError::Empty)),
            (1, None),
            (2 << 20, None),
            ((2 << 20) + 1, Some(FrameError::TooLong { octets: (2 << 20) + 1 })),
            (u32::MAX, Some(FrameError::TooLong { octets: u32::MAX })),
        ] {
            let mut frames = Frames::default();
            frames.room().extend_from_slice(&length.to_be_bytes());
            assert_eq!(frames.take().err(), error);
            assert!(frames.is_midway());
        }
    }
}

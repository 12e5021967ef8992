//! The lines of standard input, in pieces of whole lines.

use memchr::{memchr, memchr_iter};
use std::io::{self, BufRead};

/// Octets of the longest line that is taken as a request.
pub(crate) const MAX_LINE_LEN: usize = 128 << 20;

/// Lines that were read together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Whole lines; the last line of the input may have no line end.
    Lines(Vec<u8>),
    /// A line of this many octets, which is more than [`MAX_LINE_LEN`]; it was read over.
    TooLong(u64),
}

impl Piece {
    /// Octets of memory that it takes up.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.len(),
            Self::TooLong(_) => 0,
        }
    }
}

/// Reads pieces of at most `max_lines` lines, and waits for no more than the first of them.
#[derive(Debug)]
pub(crate) struct Pieces<R> {
    input: R,
    max_lines: usize,
    max_line_len: usize,
}

impl<R: BufRead> Pieces<R> {
    pub(crate) fn new(input: R, max_lines: usize) -> Self {
        Self { input, max_lines, max_line_len: MAX_LINE_LEN }
    }

    /// The next piece, in `piece`, which is empty; `None` at the end of the input.
    pub(crate) fn read(&mut self, mut piece: Vec<u8>) -> io::Result<Option<Piece>> {
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                return Ok((!piece.is_empty()).then_some(Piece::Lines(piece)));
            }
            let first = memchr(b'\n', buffer).unwrap_or(buffer.len());
            if piece.len() + first > self.max_line_len {
                let read = len(&piece) + self.skip_line()?;
                return Ok(Some(Piece::TooLong(read)));
            }
            let end = memchr_iter(b'\n', buffer).take(self.max_lines).last().map(|at| at + 1);
            let taken = end.unwrap_or(buffer.len());
            piece.extend_from_slice(buffer.get(..taken).unwrap_or_default());
            self.input.consume(taken);
            if end.is_some() {
                return Ok(Some(Piece::Lines(piece)));
            }
        }
    }

    /// Reads to the end of the line; how many octets that were.
    fn skip_line(&mut self) -> io::Result<u64> {
        self.input.skip_until(b'\n').map(|octets| u64::try_from(octets).unwrap_or(u64::MAX))
    }
}

fn len(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};

    /// All pieces of `input`, of which each read gives `at_once` octets at most.
    fn pieces(input: &[u8], at_once: usize, max_lines: usize, max_line_len: usize) -> Vec<Piece> {
        let input = BufReader::with_capacity(at_once, input);
        let mut pieces = Pieces { input, max_lines, max_line_len };
        std::iter::from_fn(|| pieces.read(Vec::new()).unwrap()).collect()
    }

    fn lines(text: &str) -> Piece {
        Piece::Lines(text.into())
    }

    #[test]
    fn pieces_are_whole_lines_wherever_reads_end() {
        let input = b"one\n\ntwo\nthree\nfour";
        for at_once in 1..=input.len() {
            for max_lines in 1..=5 {
                let pieces = pieces(input, at_once, max_lines, 100);
                let mut joined = Vec::new();
                for (number, piece) in pieces.iter().enumerate() {
                    let Piece::Lines(lines) = piece else { panic!("{piece:?}") };
                    assert!(lines.ends_with(b"\n") || number + 1 == pieces.len(), "{pieces:?}");
                    assert!(lines.iter().filter(|octet| **octet == b'\n').count() <= max_lines, "{pieces:?}");
                    joined.extend_from_slice(lines);
                }
                assert_eq!(joined, input);
            }
        }
        assert_eq!(pieces(input, 100, 2, 100), [lines("one\n\n"), lines("two\nthree\n"), lines("four")]);
        assert_eq!(pieces(b"", 100, 2, 100), []);
    }

    #[test]
    fn a_line_above_the_limit_is_read_over_and_counted() {
        for at_once in 1..=20 {
            let found = pieces(b"abcd\nabcde\nabcd\nabcdef", at_once, 1, 4);
            assert_eq!(found, [lines("abcd\n"), Piece::TooLong(6), lines("abcd\n"), Piece::TooLong(6)], "{at_once}");
        }
    }

    /// A line that is there is not kept back for the sake of the next.
    #[test]
    fn nothing_is_waited_for_after_a_line_end() {
        struct Once(bool);
        impl Read for Once {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                assert!(self.0, "it would wait here");
                self.0 = false;
                to[..4].copy_from_slice(b"one\n");
                Ok(4)
            }
        }
        let mut pieces = Pieces::new(BufReader::new(Once(true)), 64);
        assert_eq!(pieces.read(Vec::new()).unwrap(), Some(lines("one\n")));
    }
}

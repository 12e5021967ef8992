//! What line ends a body has.

use super::{
    Oddity,
    line_endings::{LineEndings, has_bare_ends},
};

/// What line ends a body has that comes in pieces, or at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyLineEnds {
    found: LineEndings,
    /// The last piece ended with a CR, which is not counted yet.
    after_cr: bool,
}

impl BodyLineEnds {
    /// The next piece.
    pub(crate) fn piece(&mut self, piece: &[u8]) {
        let Some(first) = piece.first() else { return };
        let mut rest = piece;
        if std::mem::take(&mut self.after_cr) {
            if *first == b'\n' {
                self.found.crlf += 1;
                rest = rest.get(1..).unwrap_or_default();
            } else {
                self.found.bare_cr += 1;
            }
        }
        if let Some(before) = rest.strip_suffix(b"\r") {
            (self.after_cr, rest) = (true, before);
        }
        let LineEndings { crlf, bare_lf, bare_cr } = LineEndings::of(rest);
        self.found.crlf += crlf;
        self.found.bare_lf += bare_lf;
        self.found.bare_cr += bare_cr;
    }

    /// All of it, which is quicker: where there is nothing to tell, nothing is counted.
    pub(crate) fn whole(&mut self, body: &[u8]) {
        if has_bare_ends(body) {
            self.found = LineEndings::of(body);
        }
    }

    /// What there is to tell at the end.
    pub(crate) fn oddity(&self) -> Option<Oddity> {
        let bare_cr = self.found.bare_cr + usize::from(self.after_cr);
        let found = LineEndings { bare_cr, ..self.found };
        (!found.are_crlf()).then_some(Oddity::BodyLineEndings(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_pieces_has_the_line_ends_of_the_whole() {
        const OCTETS: &[u8] = b"a\r\n";
        for number in 0..3_usize.pow(6) {
            let text: Vec<u8> = (0..6).map(|place| OCTETS[number / 3_usize.pow(place) % 3]).collect();
            let mut whole = BodyLineEnds::default();
            whole.whole(&text);
            for at in 0..=text.len() {
                let mut pieces = BodyLineEnds::default();
                [&text[..at], b"", &text[at..]].into_iter().for_each(|piece| pieces.piece(piece));
                assert_eq!(pieces.oddity(), whole.oddity(), "{text:?} at {at}");
            }
        }
    }
}

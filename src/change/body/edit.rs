//! One thing that was done to a body, as it is told.

use crate::{
    dkim::{Change, ChangeKind, ChangePart, Undo},
    lex::{Span, excerpt},
};
use std::ops::Range;

/// What was done, and what has to be taken out to undo it, in octets of the present body with CRLF line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) kind: ChangeKind,
    pub(super) says: String,
    pub(super) removed: Option<Range<usize>>,
}

impl Edit {
    pub(super) fn new(kind: ChangeKind, says: impl Into<String>) -> Self {
        Self { kind, says: says.into(), removed: None }
    }

    /// A stretch of `text` was added. `is_present` says whether that is the body as it is.
    pub(super) fn added(text: &[u8], range: &Range<usize>, is_present: bool) -> Self {
        let stretch = text.get(range.clone()).unwrap_or_default();
        let is_blank = |range: Range<usize>| text.get(range).unwrap_or_default().trim_ascii().is_empty();
        let kind = if has_delimiter(stretch) {
            ChangeKind::BodyPartAdded
        } else if is_meta(stretch) {
            ChangeKind::StoreRewrote
        } else if is_blank(range.end..text.len()) && range.start > 0 {
            ChangeKind::BodyAppended
        } else if is_blank(0..range.start) {
            ChangeKind::BodyPrepended
        } else {
            ChangeKind::BodyInserted
        };
        let place = match kind {
            ChangeKind::BodyAppended => "at the end of the body",
            ChangeKind::BodyPrepended => "at the start of the body",
            ChangeKind::BodyPartAdded => "as a part of the body",
            ChangeKind::StoreRewrote => "to the HTML, as Exchange does,",
            _ => "within the body",
        };
        let lines = memchr::memchr_iter(b'\n', stretch).count().max(1);
        let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
        let start = stretch.trim_ascii().split(|octet| *octet == b'\r').next().unwrap_or_default();
        let start =
            if start.is_empty() { String::new() } else { format!(", which begin with \"{}\",", excerpt(start)) };
        let says = format!("{lines} ({} octets){start} were added {place} after signing", stretch.len());
        let says = if lines == "1 line" {
            says.replace("begin with", "begins with").replace(" were added", " was added")
        } else {
            says
        };
        Self { kind, says, removed: is_present.then(|| range.clone()) }
    }

    /// As it is told to people: computed, and so proven.
    pub(super) fn change(&self) -> Change {
        let span = self.removed.as_ref().and_then(|range| Span::new(range.start, range.len()));
        let part = match self.kind {
            ChangeKind::SignedWrongly | ChangeKind::CanonicalizationNamedWrongly => ChangePart::Signature,
            _ => ChangePart::Body,
        };
        Change {
            kind: self.kind,
            part,
            is_proven: true,
            field: None,
            says: self.says.as_str().into(),
            advice: Some(advice(self.kind).into()),
            undo: span.map(|span| Undo { removed: vec![span] }),
        }
    }
}

/// What Exchange puts into the head of HTML.
fn is_meta(stretch: &[u8]) -> bool {
    let tag = stretch.trim_ascii();
    let name = b"<meta http-equiv=\"content-type\"";
    tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && memchr::memchr(b'>', tag) == Some(tag.len() - 1)
}

/// Whether the text begins with a line that could be a delimiter, with a header behind it.
fn has_delimiter(stretch: &[u8]) -> bool {
    let text = stretch.trim_ascii_start();
    let first = text.split(|octet| *octet == b'\n').next().unwrap_or_default();
    first.starts_with(b"--")
        && first.trim_ascii().len() > 2
        && memchr::memmem::find(&text.get(..400).unwrap_or(text).to_ascii_lowercase(), b"\ncontent-type").is_some()
}

fn advice(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::BodyAppended | ChangeKind::BodyPrepended | ChangeKind::BodyInserted | ChangeKind::BodyPartAdded => {
            "Have the host that adds the text leave signed mail as it is, or seal what it changes (ARC)."
        }
        ChangeKind::TransferEncoding => {
            "Have the sender encode before it signs (quoted-printable or base64), so that no host on the way has to."
        }
        ChangeKind::LongLineWrapped => {
            "Have the sender keep lines within 998 octets (RFC 5322 section 2.1.1), or encode them before it signs."
        }
        ChangeKind::TrailingWhiteSpace => {
            "Have the sender sign with the relaxed body canonicalization (c=relaxed/relaxed)."
        }
        ChangeKind::LineEnds => "Have the program that stored or passed on the message keep its line ends.",
        ChangeKind::FromStuffing => {
            "Take a copy that was not stored in an mbox file, or have the sender encode the line."
        }
        ChangeKind::DotStuffing => {
            "Have the program that handles SMTP, or that wrote the file, corrected (RFC 5321 section 4.5.2)."
        }
        ChangeKind::UrlsRewritten => {
            "Evaluate before links are rewritten, or have the filter leave signed mail as it is."
        }
        ChangeKind::StoreRewrote => {
            "Take a copy from before the store: what the receiver's border host got, or the sender's own."
        }
        ChangeKind::CharsetOrBoundary => "Have the host that recodes text leave signed mail as it is.",
        ChangeKind::CanonicalizationNamedWrongly => "Have the signer name the canonicalization by which it computes.",
        ChangeKind::SignedWrongly => "Have the program that signs corrected; no change on the way is to be blamed.",
        ChangeKind::BodyEmpty => {
            "Have the signer sign the message as it is sent: here it signed before there was a body."
        }
        _ => "Ask the hosts on the way what they change.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_called_by_its_place() {
        let text = b"Hello\r\nfooter of a list\r\n\r\n";
        let kind = |range| Edit::added(text, &range, true).kind;
        assert_eq!(kind(7..27), ChangeKind::BodyAppended);
        assert_eq!(kind(0..7), ChangeKind::BodyPrepended);
        assert_eq!(kind(2..4), ChangeKind::BodyInserted);
        assert_eq!(
            Edit::added(text, &(7..25), false).says,
            "1 line (18 octets), which begins with \"footer of a list\", was added at the end of the body after signing"
        );
        let part = b"x\r\n--b\r\nContent-Type: text/plain\r\n\r\nfooter\r\n--b--\r\n";
        assert_eq!(Edit::added(part, &(3..46), true).kind, ChangeKind::BodyPartAdded);
    }
}

//! What a filter answers.

use super::Offer;

/// An answer: `SMFIR_…`. Changes of the message are told at its end, before the answer that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the two agree on.
    Taken(Offer),
    /// Go on.
    Continue,
    /// Take it, and do not ask again of this message (or of this client, where there is none).
    Accept,
    /// Refuse it with the server's own words.
    Reject,
    /// Put it off with the server's own words.
    TemporaryFailure,
    /// Refuse it, or put it off, with this line: a code, an enhanced code, a text.
    Reply(String),
    /// Still at it.
    Progress,
    /// Enough of the body.
    Skip,
    /// Hold the message, and say why.
    Quarantine(String),
    /// A new field above those at this place, counted from 0 at the top.
    InsertHeader {
        /// The place.
        at: u32,
        /// Its name.
        name: String,
        /// Its value, with LF where it is folded.
        value: String,
    },
    /// The field of this name is removed, the n-th of its name, counted from 1.
    RemoveHeader {
        /// Which of that name.
        number: u32,
        /// Its name.
        name: Vec<u8>,
    },
}

impl Answer {
    /// Writes the packet behind others.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 4]);
        match self {
            Self::Taken(offer) => {
                out.push(b'O');
                out.extend(offer.octets());
            }
            Self::Continue => out.push(b'c'),
            Self::Accept => out.push(b'a'),
            Self::Reject => out.push(b'r'),
            Self::TemporaryFailure => out.push(b't'),
            Self::Reply(line) => {
                out.push(b'y');
                // The text is a format to mail servers, in which a percent sign stands twice.
                push_text(out, line.replace('%', "%%").as_bytes());
            }
            Self::Progress => out.push(b'p'),
            Self::Skip => out.push(b's'),
            Self::Quarantine(reason) => {
                out.push(b'q');
                push_text(out, reason.as_bytes());
            }
            Self::InsertHeader { at, name, value } => {
                out.push(b'i');
                out.extend(at.to_be_bytes());
                push_text(out, name.as_bytes());
                push_text(out, value.as_bytes());
            }
            Self::RemoveHeader { number, name } => {
                out.push(b'm');
                out.extend(number.to_be_bytes());
                push_text(out, name);
                push_text(out, b"");
            }
        }
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX).to_be_bytes();
        for (to, octet) in out.iter_mut().skip(start).zip(length) {
            *to = octet;
        }
    }
}

/// With a NUL behind it, and none in it.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().filter(|octet| **octet != 0));
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_packets() {
        let mut out = Vec::new();
        for answer in [
            Answer::Continue,
            Answer::Reply("550 5.7.26 100 % no".to_owned()),
            Answer::InsertHeader { at: 0, name: "X".to_owned(), value: " a\n b".to_owned() },
            Answer::RemoveHeader { number: 2, name: b"Y\0".to_vec() },
            Answer::Quarantine("why".to_owned()),
        ] {
            answer.write(&mut out);
        }
        assert_eq!(
            out,
            b"\0\0\0\x01c\0\0\0\x16y550 5.7.26 100 %% no\0\0\0\0\x0di\0\0\0\0X\0 a\n b\0\0\0\0\x08m\0\0\0\x02Y\0\0\0\0\0\x05qwhy\0"
        );
    }
}

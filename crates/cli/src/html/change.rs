//! What changed since something was signed: each change, and the text that was added, marked where it stands.

use super::{
    text::{Bounded, cut, octets},
    word::word_as,
};
use crate::{
    changes::{MAX_SIGNATURES, like, proof, titled},
    findings::ascii,
    report::Report,
};
use mailverdict::{Span, dkim::Change};
use maud::{Markup, html};

/// Changes that are shown of one signature.
const MAX_CHANGES: usize = 40;
/// Stretches of added text that are shown of one change.
const MAX_STRETCHES: usize = 8;
/// Octets that are shown around what was added.
const AROUND: usize = 240;
/// Octets that are shown of what was added: so many at its start, and so many at its end.
const ENDS: usize = 800;

/// The changes of all signatures, the proven ones of each first; `None` where there is none.
pub(super) fn changes(report: &Report<'_>) -> Option<Markup> {
    let all: Vec<_> = titled(report, report.evaluated.changes.as_ref()?).collect();
    let Bounded { items, more } = Bounded::of(&all, MAX_SIGNATURES, |(title, changes)| {
        html! { h3 { (ascii(title)) } (of_signature(changes, report)) }
    });
    (!all.is_empty()).then(|| html! { @for item in items { (item) } (more) })
}

fn of_signature(changes: &[Change], report: &Report<'_>) -> Markup {
    let Bounded { items, more } = Bounded::of(changes, MAX_CHANGES, |change| {
        html! {
            li {
                (word_as(proof(change), like(change)))
                " " strong { (change.kind.keyword()) } ": " (cut(&ascii(&change.says)))
                (difference(change, report))
                @if let Some(advice) = &change.advice { p { "What to do: " (cut(&ascii(advice))) } }
            }
        }
    });
    html! { ul { @for item in items { (item) } } (more) }
}

/// The text as it is, in which what was added is marked; of a field, as it was signed as well.
fn difference(change: &Change, report: &Report<'_>) -> Markup {
    let removed = change.undo.as_ref().map(|undo| &*undo.removed).unwrap_or_default();
    let text = match &change.field {
        // RFC 6376 §5.4.2: of fields of one name, the lowest is the first that is signed.
        Some(name) => report.message.header().named(name).next_back().map(|field| field.raw()),
        None => report.is_whole.then(|| report.message.body()),
    };
    let (Some(text), false) = (text, removed.is_empty()) else { return html! {} };
    let Some(pieces) = Piece::all(text, removed) else { return html! {} };
    html! {
        @if change.field.is_some() {
            p { "As it was signed, the added text taken out:" }
            pre { @for piece in &pieces { @if let Piece::Kept(octets) = piece { (shown(octets, Kept::Whole)) } } }
        }
        p { "As it is now, the added text marked:" }
        pre {
            @for (place, piece) in pieces.iter().enumerate() {
                @match piece {
                    Piece::Kept(octets) => (shown(octets, Kept::at(place, pieces.len()))),
                    Piece::Added(octets) => ins {
                        span.out { "[added: " } (added(octets)) span.out { " end of what was added]" }
                    },
                }
            }
        }
    }
}

/// A stretch of a text.
enum Piece<'t> {
    Kept(&'t [u8]),
    Added(&'t [u8]),
}

impl<'t> Piece<'t> {
    /// The text in pieces; `None` where the stretches do not stand in it, one behind the other.
    fn all(text: &'t [u8], removed: &[Span]) -> Option<Vec<Self>> {
        let mut pieces = Vec::new();
        let mut end = 0;
        for span in removed.iter().take(MAX_STRETCHES) {
            pieces.push(Self::Kept(text.get(end..span.offset())?));
            pieces.push(Self::Added(span.of(text)?));
            end = span.range().end;
        }
        pieces.push(Self::Kept(text.get(end..)?));
        Some(pieces)
    }
}

/// Where a kept piece stands among others, which says what is left out of it.
#[derive(Clone, Copy)]
enum Kept {
    First,
    Between,
    Last,
    Whole,
}

impl Kept {
    fn at(place: usize, pieces: usize) -> Self {
        match place {
            0 => Self::First,
            _ if place + 1 == pieces => Self::Last,
            _ => Self::Between,
        }
    }
}

fn shown(text: &[u8], kept: Kept) -> String {
    let end = |most: usize| text.get(text.len().saturating_sub(most)..).unwrap_or_default();
    let start = |most: usize| text.get(..most).unwrap_or(text);
    match kept {
        Kept::First if text.len() > AROUND => format!("[...]{}", octets(end(AROUND))),
        Kept::Last if text.len() > AROUND => format!("{}[...]", octets(start(AROUND))),
        Kept::Between | Kept::Whole if text.len() > 2 * AROUND => {
            format!("{}[...]{}", octets(start(AROUND)), octets(end(AROUND)))
        }
        Kept::First | Kept::Last | Kept::Between | Kept::Whole => octets(text),
    }
}

fn added(text: &[u8]) -> String {
    let (start, end) = (text.get(..ENDS), text.get(text.len().saturating_sub(ENDS)..));
    match (start, end, text.len().checked_sub(2 * ENDS)) {
        (Some(start), Some(end), Some(between @ 1..)) => {
            format!("{}[... {between} octets ...]{}", octets(start), octets(end))
        }
        _ => octets(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_where_they_were_changed() {
        let long = vec![b'a'; 1000];
        assert_eq!(shown(&long, Kept::First), format!("[...]{}", "a".repeat(AROUND)));
        assert_eq!(shown(&long, Kept::Last), format!("{}[...]", "a".repeat(AROUND)));
        assert_eq!(shown(&long[..AROUND], Kept::First), "a".repeat(AROUND));
        assert_eq!(shown(&long, Kept::Between).len(), 2 * AROUND + 5);
        assert_eq!(added(&long), "a".repeat(1000));
        let longer = vec![b'b'; 2 * ENDS + 1];
        assert_eq!(added(&longer), format!("{0}[... 1 octets ...]{0}", "b".repeat(ENDS)));
    }
}

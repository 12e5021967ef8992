//! What a signed field may have been.

use super::slot::{Slot, Slots, canonical};
use crate::{
    dkim::ChangeKind,
    message::{Header, HeaderField},
};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

/// One or several fields as they may have been when they were signed.
#[derive(Debug)]
pub(super) struct Alternative {
    /// The places in the list of slots, in ascending order, and the canonical text of each; empty for no field.
    pub(super) replaced: Vec<(usize, Vec<u8>)>,
    pub(super) kind: ChangeKind,
    /// The name of the field.
    pub(super) field: Box<str>,
    /// What happened, in a sentence.
    pub(super) says: String,
    /// The stretch of the field that was added, in octets of the field.
    pub(super) removed: Option<Range<usize>>,
    /// Whether it is tried together with others.
    pub(super) is_likely: bool,
}

/// How an alternative is told.
pub(super) struct Told {
    pub(super) kind: ChangeKind,
    pub(super) says: String,
    pub(super) removed: Option<Range<usize>>,
    pub(super) is_likely: bool,
}

impl Told {
    pub(super) fn likely(kind: ChangeKind, says: impl Into<String>) -> Self {
        Self { kind, says: says.into(), removed: None, is_likely: true }
    }

    pub(super) fn unlikely(kind: ChangeKind, says: impl Into<String>) -> Self {
        Self { is_likely: false, ..Self::likely(kind, says) }
    }
}

/// Alternatives that are kept for one signature.
const MAX_ALTERNATIVES: usize = 1500;
/// Alternatives of one field.
const MAX_OF_SLOT: usize = 500;
/// Octets of a field for which alternatives are made.
const MAX_OCTETS: usize = 4096;
/// Octets of the name of such a field, which sentences name whole.
const MAX_NAME: usize = 60;
/// Octets of all alternatives.
const MAX_TOTAL: usize = 768 << 10;

/// All that is tried, in the order of trying.
pub(super) struct Alternatives<'s, 'm> {
    pub(super) slots: &'s Slots<'m>,
    pub(super) header: &'s Header<'m>,
    pub(super) list: Vec<Alternative>,
    /// The hashes of those that are there.
    seen: HashSet<u64>,
    of_slot: Vec<usize>,
    octets: usize,
}

impl<'s, 'm> Alternatives<'s, 'm> {
    pub(super) fn new(slots: &'s Slots<'m>, header: &'s Header<'m>) -> Self {
        let of_slot = vec![0; slots.slots.len()];
        Self { slots, header, list: Vec::new(), seen: HashSet::new(), of_slot, octets: 0 }
    }

    /// The slots with their places; those of long fields are passed over, and all once there are enough alternatives.
    pub(super) fn each_slot(&self) -> impl Iterator<Item = (usize, &'s Slot<'m>)> + use<'s, 'm> {
        let is_short = |slot: &Slot<'_>| {
            slot.name.len() <= MAX_NAME && slot.field.is_none_or(|field| field.raw().len() <= MAX_OCTETS)
        };
        let most = if self.is_full() { 0 } else { usize::MAX };
        self.slots.slots.iter().enumerate().filter(move |(_, slot)| is_short(slot)).take(most)
    }

    /// Whether no more are kept.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_ALTERNATIVES || self.octets >= MAX_TOTAL
    }

    /// The slots of this name, given in lower case.
    pub(super) fn named(&self, name: &'static str) -> impl Iterator<Item = (usize, &'s Slot<'m>)> + use<'s, 'm> {
        self.each_slot().filter(move |(_, slot)| &*slot.name == name)
    }

    /// The field at `place` was not there.
    pub(super) fn absent(&mut self, place: usize, told: Told) {
        self.push(place, Vec::new(), told);
    }

    /// The field at `place` had this value, which is without a line end.
    pub(super) fn value(&mut self, place: usize, value: &[u8], told: Told) {
        let Some(slot) = self.slots.slots.get(place) else { return };
        let name = match slot.field {
            Some(field) => field.name().to_vec(),
            None => title(&slot.name).into_bytes(),
        };
        self.raw(place, &[&name, &b":"[..], value, b"\r\n"].concat(), told);
    }

    /// The field at `place` was this one.
    pub(super) fn raw(&mut self, place: usize, raw: &[u8], told: Told) {
        let canonical = canonical(self.slots.canonicalization, raw);
        if !canonical.is_empty() {
            self.push(place, canonical, told);
        }
    }

    fn push(&mut self, place: usize, canonical: Vec<u8>, told: Told) {
        let Some(slot) = self.slots.slots.get(place) else { return };
        let Some(count) = self.of_slot.get_mut(place) else { return };
        let mut hasher = DefaultHasher::new();
        (place, &canonical).hash(&mut hasher);
        let hash = hasher.finish();
        let is_new = slot.canonical != canonical && !self.seen.contains(&hash);
        if !is_new || *count >= MAX_OF_SLOT || self.list.len() >= MAX_ALTERNATIVES || self.octets >= MAX_TOTAL {
            return;
        }
        *count += 1;
        self.octets += canonical.len();
        self.seen.insert(hash);
        let field = name_of(slot);
        let Told { kind, says, removed, is_likely } = told;
        self.list.push(Alternative { replaced: vec![(place, canonical)], kind, field, says, removed, is_likely });
    }

    /// Several fields were others at once.
    pub(super) fn several(&mut self, replaced: Vec<(usize, Vec<u8>)>, told: Told) {
        let first = replaced.first().and_then(|(place, _)| self.slots.slots.get(*place));
        let Some(field) = first.map(name_of).filter(|_| !self.is_full()) else { return };
        self.octets += replaced.iter().map(|(_, text)| text.len()).sum::<usize>();
        let Told { kind, says, removed, is_likely } = told;
        self.list.push(Alternative { replaced, kind, field, says, removed, is_likely });
    }
}

/// The name as the message writes it, or as it is usually written.
pub(super) fn name_of(slot: &Slot<'_>) -> Box<str> {
    match slot.field {
        Some(field) => String::from_utf8_lossy(field.name()).into(),
        None => title(&slot.name).into(),
    }
}

/// `reply-to` as `Reply-To`.
pub(super) fn title(name: &str) -> String {
    match name {
        "message-id" => return "Message-ID".to_owned(),
        "mime-version" => return "MIME-Version".to_owned(),
        _ => {}
    }
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The value without the line end.
pub(super) fn value_of<'m>(field: &HeaderField<'m>) -> &'m [u8] {
    let value = field.value();
    value.strip_suffix(b"\r\n").or_else(|| value.strip_suffix(b"\n")).unwrap_or(value)
}

/// The value without folding and without white space at its ends.
pub(super) fn unfolded(value: &[u8]) -> Vec<u8> {
    let kept = value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n'));
    kept.collect::<Vec<u8>>().trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_usual() {
        assert_eq!(title("reply-to"), "Reply-To");
        assert_eq!(title("mime-version"), "MIME-Version");
        assert_eq!(title("x--a"), "X--A");
    }
}

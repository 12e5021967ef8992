//! What is put into Subject: tags of lists, warnings of gateways.

use super::alternative::{Alternatives, Told, unfolded, value_of};
use crate::{
    dkim::{Algorithm, ChangeKind},
    lex::excerpt,
};

/// Places at which a subject is cut.
const MAX_CUTS: usize = 24;

/// Octets of a stretch that is likely to have been added.
const USUAL: usize = 60;

/// Every stretch between two words, the likely ones first.
pub(super) fn add(alternatives: &mut Alternatives<'_, '_>) {
    for (place, slot) in alternatives.named("subject") {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let value = value_of(&field);
        let before_value = field.raw().len() - field.value().len();
        let cuts = cuts(value);
        let Some((first, end)) = cuts.first().copied().zip(cuts.last().copied()) else { continue };
        let mut windows: Vec<(usize, usize)> = Vec::new();
        for (at, from) in cuts.iter().enumerate() {
            windows.extend(cuts.iter().skip(at + 1).map(|to| (*from, *to)));
        }
        windows.retain(|window| *window != (first, end));
        let is_likely = |(from, to): (usize, usize)| {
            let text = value.get(from..to).unwrap_or_default();
            is_tag(text) || (from == first && to - from <= USUAL)
        };
        // Stable: among equals, those that begin sooner come first, and the shorter ones of them.
        windows.sort_by_key(|window| !is_likely(*window));
        for (from, to) in windows {
            // White space goes with what stands behind it, and at the end with what stands before it.
            let from = if to == end { value.get(..from).unwrap_or_default().trim_ascii_end().len() } else { from };
            let Some((before, after)) = value.get(..from).zip(value.get(to..)) else { continue };
            let text = value.get(from..to).unwrap_or_default();
            let kind = if is_tag(text) { ChangeKind::SubjectTag } else { ChangeKind::SubjectPrefix };
            let how = match (from == first, to == end) {
                (true, _) => "was put before Subject",
                (false, true) => "was put behind Subject",
                (false, false) => "was put into Subject",
            };
            let says = format!("\"{}\" {how} after signing", excerpt(text.trim_ascii()));
            let removed = Some(before_value + from..before_value + to);
            let former = [before, after].concat();
            let likely = is_likely((from, to));
            alternatives.value(place, &former, Told { kind, says: says.clone(), removed, is_likely: likely });
            if likely && alternatives.slots.canonicalization == Algorithm::Simple {
                // A longer line may have been folded, too.
                let plain = [b" ", &unfolded(&former)[..]].concat();
                alternatives.value(place, &plain, Told::likely(kind, says));
            }
        }
        moved(alternatives, place, value);
    }
}

/// Where a stretch may begin or end: at words, and behind what closes a tag.
fn cuts(value: &[u8]) -> Vec<usize> {
    let is_white = |octet: u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let mut cuts = Vec::new();
    let mut before = b' ';
    for (at, octet) in value.iter().enumerate() {
        let is_start = is_white(before) && !is_white(*octet);
        let closes = matches!(before, b']' | b':' | b')' | b'}' | b'*' | b'|' | b'>') && !is_white(*octet);
        let opens = matches!(octet, b'[' | b'(' | b'{');
        if is_start || closes || opens {
            cuts.push(at);
        }
        before = *octet;
    }
    cuts.push(value.trim_ascii_end().len());
    cuts.dedup();
    // The ends of long subjects count as their starts do.
    if cuts.len() > MAX_CUTS {
        let last = cuts.split_off(cuts.len() - MAX_CUTS / 4);
        cuts.truncate(MAX_CUTS - MAX_CUTS / 4);
        cuts.extend(last);
    }
    cuts
}

fn is_tag(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.first() == Some(&b'[') && text.last() == Some(&b']')
}

/// Lists put their tag before the `Re:` that stood before it.
fn moved(alternatives: &mut Alternatives<'_, '_>, place: usize, value: &[u8]) {
    let text = value.trim_ascii_start();
    let Some(end) = memchr::memchr(b']', text).filter(|_| text.first() == Some(&b'[')) else { return };
    let (tag, rest) = text.split_at(end + 1);
    let rest = rest.trim_ascii_start();
    let Some(colon) = memchr::memchr(b':', rest).filter(|colon| *colon <= 4) else { return };
    let (reply, rest) = rest.split_at(colon + 1);
    let says = format!("the tag \"{}\" was moved to the start of Subject after signing", excerpt(tag));
    let told = Told::likely(ChangeKind::SubjectTag, says);
    alternatives.value(place, &[b" ", reply, b" ", tag, b" ", rest.trim_ascii_start()].concat(), told);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_cut_at_words_and_behind_tags() {
        assert_eq!(cuts(b" Re: [x]y z"), [1, 5, 8, 10, 11]);
        assert_eq!(cuts(b" "), [0]);
        assert_eq!(cuts("word ".repeat(100).as_bytes()).len(), MAX_CUTS);
    }
}

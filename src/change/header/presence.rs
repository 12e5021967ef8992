//! Fields that were added, removed, moved, or are kept under another name.

use super::alternative::{Alternatives, Told, title, unfolded, value_of};
use crate::{dkim::ChangeKind, lex::excerpt, message::HeaderField};

/// Fields that nobody adds on the way, or hardly ever.
const RARELY_ADDED: [&str; 5] = ["from", "subject", "date", "to", "message-id"];

/// How the name under which a former field is kept begins.
const KEPT_AS: [&str; 9] = [
    "X-Original-",
    "Original-",
    "X-Old-",
    "Old-",
    "X-Mailman-Original-",
    "X-Google-Original-",
    "X-Microsoft-Original-",
    "X-MS-Exchange-Original-",
    "X-",
];

/// Octets of fields of one name that are put into another order.
const MAX_REORDERED: usize = 16_384;

/// `h=` names more fields than were there, so that nobody could add one (RFC 6376 §5.4).
pub(super) fn add_absent(alternatives: &mut Alternatives<'_, '_>) {
    for (place, slot) in alternatives.each_slot() {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let name = String::from_utf8_lossy(field.name()).into_owned();
        let text = excerpt(&unfolded(value_of(&field)));
        let says = format!("{name}, \"{text}\", was added after signing: h= names it, and the message had none then");
        // The first name of several takes the field that was there.
        let is_another = alternatives.slots.slots.iter().take(place).any(|other| other.name == slot.name);
        let is_likely = is_another || !RARELY_ADDED.contains(&&*slot.name);
        let told = Told { is_likely, ..Told::likely(ChangeKind::HeaderAdded, says) };
        alternatives.absent(place, told);
    }
}

/// Another field of the same name was the one that was signed.
pub(super) fn add_reordered(alternatives: &mut Alternatives<'_, '_>) {
    let mut done: Vec<&str> = Vec::new();
    for (place, slot) in alternatives.each_slot() {
        if slot.field.is_none() || done.contains(&&*slot.name) || alternatives.is_full() {
            continue;
        }
        done.push(&slot.name);
        let fields: Vec<HeaderField<'_>> = alternatives.header.named(&slot.name).collect();
        let same = alternatives.slots.slots.iter().enumerate().filter(|(_, other)| other.name == slot.name);
        let places: Vec<usize> = same.filter(|(_, other)| other.field.is_some()).map(|(place, _)| place).collect();
        let name = title(&slot.name);
        let octets: usize = places
            .iter()
            .filter_map(|place| alternatives.slots.slots.get(*place))
            .map(|slot| slot.canonical.len())
            .sum();
        if places.len() > 1 && octets <= MAX_REORDERED {
            let reordered = |mut texts: Vec<Vec<u8>>| {
                let replaced: Vec<(usize, Vec<u8>)> = places.iter().copied().zip(texts.drain(..)).collect();
                replaced
            };
            let texts = || {
                places
                    .iter()
                    .filter_map(|place| alternatives.slots.slots.get(*place))
                    .map(|slot| slot.canonical.clone())
            };
            let mut orders: Vec<Vec<Vec<u8>>> = vec![texts().rev().collect()];
            for first in 1..places.len().min(12) {
                let mut order: Vec<Vec<u8>> = texts().collect();
                let moved = order.remove(first);
                order.insert(0, moved);
                orders.push(order);
                let mut order: Vec<Vec<u8>> = texts().collect();
                order.swap(first - 1, first);
                orders.push(order);
                let mut order: Vec<Vec<u8>> = texts().collect();
                let moved = order.remove(0);
                order.insert(first, moved);
                orders.push(order);
            }
            let present: Vec<Vec<u8>> = texts().collect();
            for order in orders.into_iter().filter(|order| *order != present) {
                let says =
                    format!("the {} {name} fields stand in another order than when they were signed", places.len());
                alternatives.several(reordered(order), Told::unlikely(ChangeKind::HeaderReordered, says));
            }
        }
        // One more came in, and is taken for the one that was signed.
        for field in fields.iter().take(8).filter(|_| fields.len() > places.len()) {
            let says =
                format!("{name} stands {} times: one was added after signing, below the signed one", fields.len());
            alternatives.raw(place, field.raw(), Told::likely(ChangeKind::HeaderAdded, says));
        }
    }
}

/// A signed field is gone; what it probably was is tried.
pub(super) fn add_removed(alternatives: &mut Alternatives<'_, '_>) {
    let from = alternatives.header.named("From").next().map(|field| unfolded(value_of(&field))).unwrap_or_default();
    let from_address = address(&from);
    for (place, slot) in alternatives.each_slot() {
        let first = alternatives.slots.slots.iter().position(|other| other.name == slot.name);
        if slot.field.is_some() || first != Some(place) || alternatives.is_full() {
            continue;
        }
        let name = title(&slot.name);
        let bare = |address: &[u8]| [b"<", address, b">"].concat();
        let usual: Vec<Vec<u8>> = match &*slot.name {
            "reply-to" => vec![from.clone(), from_address.clone(), bare(&from_address)],
            "sender" => vec![from_address.clone(), from.clone(), bare(&from_address)],
            "mime-version" => texts(&["1.0"]),
            "content-transfer-encoding" => texts(&["7bit", "8bit", "quoted-printable", "base64", "7BIT", "8BIT"]),
            "content-type" => texts(&[
                "text/plain",
                "text/plain; charset=utf-8",
                "text/plain; charset=UTF-8",
                "text/plain; charset=\"utf-8\"",
                "text/plain; charset=\"UTF-8\"",
                "text/plain; charset=us-ascii",
                "text/plain; charset=\"us-ascii\"",
                "text/plain; charset=iso-8859-1",
                "text/html; charset=utf-8",
                "text/html; charset=UTF-8",
                "text/html; charset=\"utf-8\"",
                "text/html; charset=\"UTF-8\"",
            ]),
            "to" => texts(&["undisclosed-recipients:;", "undisclosed-recipients: ;", ""]),
            "cc" | "bcc" | "subject" => texts(&[""]),
            "precedence" => texts(&["bulk", "list"]),
            "auto-submitted" => texts(&["no", "auto-generated"]),
            "list-unsubscribe-post" => texts(&["List-Unsubscribe=One-Click"]),
            "importance" | "x-priority" => texts(&["normal", "3", "Normal"]),
            "content-language" => texts(&["en-US", "de-DE", "en-GB"]),
            _ => Vec::new(),
        };
        for text in usual {
            let says = format!("{name} was removed after signing: it was \"{}\"", excerpt(&text));
            alternatives.value(place, &[b" ", &text[..]].concat(), Told::likely(ChangeKind::HeaderRemoved, says));
        }
    }
}

/// Former fields that the message keeps under other names.
pub(super) fn add_kept(alternatives: &mut Alternatives<'_, '_>) {
    for (place, slot) in alternatives.each_slot() {
        let name = title(&slot.name);
        for kept_as in KEPT_AS {
            let kept_name = format!("{kept_as}{name}");
            let kept: Vec<_> = alternatives.header.named(&kept_name).take(2).collect();
            for field in kept {
                let text = excerpt(&unfolded(value_of(&field)));
                let (kind, what) = match &*slot.name {
                    _ if slot.field.is_none() => (ChangeKind::HeaderRemoved, "was removed after signing"),
                    "from" => (ChangeKind::FromRewritten, "was rewritten after signing"),
                    "to" | "cc" => (ChangeKind::RecipientsRewritten, "was rewritten after signing"),
                    _ => (ChangeKind::FieldChanged, "was rewritten after signing"),
                };
                let says = format!("{name} {what}: it was \"{text}\", as {kept_name} says");
                alternatives.value(place, value_of(&field), Told::likely(kind, says));
            }
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The address of a mailbox.
fn address(mailbox: &[u8]) -> Vec<u8> {
    let inner = mailbox.rsplit(|octet| *octet == b'<').next().unwrap_or_default();
    inner.split(|octet| *octet == b'>').next().unwrap_or_default().trim_ascii().to_vec()
}

//! What lists and forwarders make of From, To and Cc, with what they leave of the former text in other fields.

use super::alternative::{Alternatives, Told, unfolded, value_of};
use crate::{dkim::ChangeKind, lex::excerpt, message::Header};

/// Fields in which the former From is kept.
const OF_AUTHOR: [&str; 13] = [
    "X-Original-From",
    "Reply-To",
    "Original-From",
    "X-Google-Original-From",
    "Old-From",
    "X-Old-From",
    "X-From",
    "Author",
    "X-Mailman-Original-From",
    "Mail-Reply-To",
    "Mail-Followup-To",
    "Cc",
    "Sender",
];

/// Fields in which former recipients are kept.
const OF_RECIPIENTS: [&str; 13] = [
    "X-Original-To",
    "X-Original-Cc",
    "Original-To",
    "X-Mailman-Original-To",
    "Old-To",
    "X-Old-To",
    "Delivered-To",
    "X-Envelope-To",
    "Envelope-To",
    "X-Rcpt-To",
    "X-Forwarded-To",
    "X-Forwarded-For",
    "Apparently-To",
];

/// Members of a list of mailboxes that may be the former one.
const MAX_MEMBERS: usize = 8;

/// Values of other fields that are looked at.
const MAX_SOURCES: usize = 24;

/// From, as another field has it.
pub(super) fn add_authors(alternatives: &mut Alternatives<'_, '_>) {
    let sources = sources(alternatives.header, &OF_AUTHOR);
    for (place, slot) in alternatives.named("from") {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let present = unfolded(value_of(&field));
        let says = |source: &str, form: &[u8]| {
            format!(
                "From was \"{}\", which is now in {source}, and names \"{}\" instead",
                excerpt(form),
                excerpt(&present)
            )
        };
        let names = display_names(&present);
        // Some lists put the former address into the name.
        let within = ("the name in From", present.clone());
        for (source, text) in sources.iter().chain([&within]) {
            let mut forms: Vec<Vec<u8>> =
                split_list(text).into_iter().map(|member| member.trim_ascii().to_vec()).collect();
            forms.push(text.clone());
            forms.truncate(MAX_MEMBERS);
            for address in addresses(text) {
                forms.push([b"<", address, b">"].concat());
                forms.push(address.to_vec());
                for name in &names {
                    forms.push([name, &b" <"[..], address, b">"].concat());
                    forms.push([b"\"", &name[..], b"\" <", address, b">"].concat());
                }
            }
            for form in forms {
                let told = Told::likely(ChangeKind::FromRewritten, says(source, &form));
                alternatives.value(place, &[b" ", &form[..]].concat(), told);
            }
        }
        // The address is as it was, and something was put before the name.
        if let Some(address) = addresses(&present).next() {
            let words = present.iter().enumerate().filter(|(_, octet)| matches!(octet, b' ' | b']' | b'"'));
            for at in words.map(|(at, _)| at + 1).take(8) {
                let rest = present.get(at..).unwrap_or_default().trim_ascii_start();
                for form in [rest.to_vec(), [b"\"", rest].concat()] {
                    let says = format!("From was \"{}\", and is \"{}\"", excerpt(&form), excerpt(&present));
                    let told = Told::unlikely(ChangeKind::FromRewritten, says);
                    alternatives.value(place, &[b" ", &form[..]].concat(), told);
                }
            }
            for form in other_forms(address, &present) {
                let says = format!("From was \"{}\", and is \"{}\"", excerpt(&form), excerpt(&present));
                let told = Told::unlikely(ChangeKind::FromRewritten, says);
                alternatives.value(place, &[b" ", &form[..]].concat(), told);
            }
        }
    }
}

/// To and Cc, as another field has them, or without one of the recipients.
pub(super) fn add_recipients(alternatives: &mut Alternatives<'_, '_>) {
    let sources = sources(alternatives.header, &OF_RECIPIENTS);
    for (place, slot) in alternatives.named("to").chain(alternatives.named("cc")) {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let name = String::from_utf8_lossy(field.name()).into_owned();
        let present = unfolded(value_of(&field));
        let told = |form: &[u8], is_likely: bool| Told {
            kind: ChangeKind::RecipientsRewritten,
            says: format!("{name} was \"{}\", and is \"{}\"", excerpt(form), excerpt(&present)),
            removed: None,
            is_likely,
        };
        let own: Vec<&[u8]> = addresses(&present).collect();
        for (_, text) in &sources {
            let mut forms = vec![text.clone()];
            for address in addresses(text) {
                forms.push([b"<", address, b">"].concat());
                forms.push(address.to_vec());
                forms.extend(display_names(&present).iter().map(|name| [name, &b" <"[..], address, b">"].concat()));
                forms.extend(own.iter().take(8).filter_map(|own| replaced(&present, own, address)));
            }
            for form in forms {
                alternatives.value(place, &[b" ", &form[..]].concat(), told(&form, true));
            }
        }
        for form in [
            "undisclosed-recipients:;",
            "undisclosed-recipients: ;",
            "Undisclosed recipients:;",
            "Undisclosed-recipients:;",
        ] {
            alternatives.value(place, format!(" {form}").as_bytes(), told(form.as_bytes(), true));
        }
        // One recipient was added.
        let members: Vec<&[u8]> = split_list(&present);
        for without in 0..members.len().min(16) {
            let left = members.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, member)| *member);
            for separator in [&b", "[..], b","] {
                let form = left.clone().map(<[u8]>::trim_ascii).collect::<Vec<_>>().join(separator);
                if !form.is_empty() {
                    alternatives.value(place, &[b" ", &form[..]].concat(), told(&form, true));
                }
            }
        }
        if let [address] = own.as_slice() {
            for form in other_forms(address, &present) {
                alternatives.value(place, &[b" ", &form[..]].concat(), told(&form, false));
            }
        }
    }
}

/// The fields of these names, unfolded.
fn sources<'n>(header: &Header<'_>, names: &[&'n str]) -> Vec<(&'n str, Vec<u8>)> {
    let of_name = |name: &&'n str| {
        let name = *name;
        header.named(name).take(2).map(move |field| (name, unfolded(field.value()))).collect::<Vec<_>>()
    };
    let all = names.iter().flat_map(of_name).filter(|(_, text)| text.len() <= 1000);
    all.take(MAX_SOURCES).collect()
}

/// Words with an `@` in them, without what stands around an address.
fn addresses(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_around = |octet: &u8| matches!(octet, b' ' | b'\t' | b',' | b';' | b'<' | b'>' | b'"' | b'\'' | b'(' | b')');
    text.split(is_around).filter(|word| word.contains(&b'@') && word.len() > 2).take(8)
}

/// What stands before the address, without quotation marks and what lists put behind a name.
fn display_names(text: &[u8]) -> Vec<Vec<u8>> {
    let name = text.split(|octet| *octet == b'<').next().unwrap_or_default().trim_ascii();
    let mut names = Vec::new();
    let mut add = |name: &[u8]| {
        let name = name.trim_ascii();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_vec());
        }
    };
    let bare = unquoted(name, b'"');
    for mark in [&b" via "[..], b" (via ", b" Via ", b" from ", b" (", b" - ", b" / "] {
        if let Some(at) = memchr::memmem::rfind(bare, mark) {
            let before = bare.get(..at).unwrap_or_default();
            add(before);
            add(unquoted(before.trim_ascii(), b'\''));
            add(unquoted(before.trim_ascii(), b'"'));
        }
    }
    add(bare);
    add(unquoted(bare, b'\''));
    names
}

fn unquoted(text: &[u8], mark: u8) -> &[u8] {
    text.strip_prefix(&[mark]).and_then(|text| text.strip_suffix(&[mark])).unwrap_or(text)
}

/// The ways in which a single address is written.
fn other_forms(address: &[u8], present: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        address.to_vec(),
        [b"<", address, b">"].concat(),
        [b"\"", address, b"\" <", address, b">"].concat(),
        [b"'", address, b"' <", address, b">"].concat(),
        [b"\"'", address, b"'\" <", address, b">"].concat(),
        [address, b" <", address, b">"].concat(),
    ];
    for name in display_names(present) {
        forms.push([&name[..], b" <", address, b">"].concat());
        forms.push([b"\"", &name[..], b"\" <", address, b">"].concat());
        forms.push([b"\"", &name[..], b"\"<", address, b">"].concat());
        forms.push([&name[..], b"<", address, b">"].concat());
        forms.push([address, b" (", &name[..], b")"].concat());
    }
    forms
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(text, old)?;
    Some([text.get(..at)?, new, text.get(at + old.len()..)?].concat())
}

/// The members of a list, by commas outside of quotation marks.
fn split_list(text: &[u8]) -> Vec<&[u8]> {
    let mut quoted = false;
    let is_end = |octet: &u8| {
        quoted ^= *octet == b'"';
        *octet == b',' && !quoted
    };
    text.split(is_end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[Vec<u8>]) -> Vec<String> {
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn names_are_those_before_the_list_put_its_own_behind() {
        let all = |text: &str| shown(&display_names(text.as_bytes()));
        assert_eq!(all("Alice via List <l@x.example>"), ["Alice", "Alice via List"]);
        assert_eq!(all("\"'Alice' via List\" <l@x.example>")[..2], ["'Alice'", "Alice"]);
        assert_eq!(all("l@x.example").len(), 1);
    }

    #[test]
    fn addresses_are_words_with_an_at_sign() {
        let found: Vec<_> = addresses(b"\"A\" <a@b.example>, c@d.example (x)").collect();
        assert_eq!(found, [&b"a@b.example"[..], b"c@d.example"]);
        assert_eq!(split_list(b"\"a, b\" <c@d>, e@f"), [&b"\"a, b\" <c@d>"[..], b" e@f"]);
    }
}

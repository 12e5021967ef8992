//! What holds of rooms that the public API does not open by themselves, whatever octets come. `door` is
//! `mailverdict::fuzzing`, by whatever path the includer reaches it.

use super::door::{Algorithm, ReadTag, canonical_body, canonical_field, mailboxes, tag_list as read_tags};

/// Tags stand where they say, and a list that is written from them reads as the same tags.
pub(crate) fn tag_list(data: &[u8]) {
    let (tags, complete) = read_tags(data);
    let mut end = 0;
    for ReadTag { value, value_offset, raw, .. } in &tags {
        assert_eq!(data.get(*value_offset..value_offset + value.len()), Some(&value[..]));
        assert!(raw.start <= *value_offset && value_offset + value.len() <= raw.end && raw.start > end);
        assert!(raw.end == data.len() || data[raw.end] == b';');
        end = raw.end;
    }
    if complete {
        let written: Vec<Vec<u8>> = tags.iter().map(|tag| [&tag.name, &b"="[..], &tag.value].concat()).collect();
        let (again, complete) = read_tags(&written.join(&b";"[..]));
        let pairs =
            |tags: &[ReadTag]| -> Vec<_> { tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect() };
        assert!(complete);
        assert_eq!(pairs(&again), pairs(&tags));
    }
}

/// A list that follows the grammar names as many domains alone as it does behind another mailbox; an `@` that is passed over
/// comes with an error; and text is never made up.
pub(crate) fn mailbox_list(data: &[u8]) {
    let read = mailboxes(data);
    assert!(read.error.is_none_or(|offset| offset <= data.len()));
    assert!(!read.unread_at_sign || read.error.is_some());
    let ats = data.iter().filter(|octet| **octet == b'@').count();
    assert!(read.domains.len() <= ats);
    if read.error.is_none() {
        let mut longer = b"x@first.example, ".to_vec();
        longer.extend(data);
        let longer = mailboxes(&longer);
        assert_eq!(longer.error, None);
        assert_eq!(longer.domains[1..], read.domains[..]);
        // Written plainly, it says the same.
        let domain = |domain: &Option<String>| format!("x@{}", domain.as_deref().unwrap_or("[192.0.2.1]"));
        let plain: Vec<String> = read.domains.iter().map(domain).collect();
        let again = mailboxes(plain.join(", ").as_bytes());
        assert_eq!((again.error, again.domains), (None, read.domains));
    }
}

/// Any chunking equals the whole, "relaxed" is idempotent, and both are what RFC 6376 §3.4 says in the plainest of words.
pub(crate) fn canonicalize(data: &[u8]) {
    let Some((&cut, body)) = data.split_first() else { return };
    for algorithm in [Algorithm::Simple, Algorithm::Relaxed] {
        let relaxed = algorithm == Algorithm::Relaxed;
        let whole = canonical_body(algorithm, [body]);
        assert_eq!(whole, plain_body(body, relaxed));
        assert_eq!(canonical_body(algorithm, body.chunks(1)), whole);
        assert_eq!(canonical_body(algorithm, body.chunks(usize::from(cut).max(1))), whole);
        let (first, second) = body.split_at(usize::from(cut).min(body.len()));
        assert_eq!(canonical_body(algorithm, [first, &[], second]), whole);
        assert_eq!(canonical_body(algorithm, [&whole[..]]), whole, "idempotent");

        let field = canonical_field(algorithm, b"Name \t", [body]);
        let (name, value) =
            if relaxed { (&b"name:"[..], plain_value(body)) } else { (&b"Name \t:"[..], body.to_vec()) };
        assert_eq!(field, [name, &value].concat());
        // The value comes in pieces where that of b= is left out; a CRLF is not cut in two.
        if !(first.ends_with(b"\r") && second.starts_with(b"\n")) {
            assert_eq!(canonical_field(algorithm, b"Name \t", [first, second]), field);
        }
        // A bare CR before a fold, and a bare LF behind it, make a new one.
        if !field.windows(2).any(|two| two == b"\r\n") {
            let (name, value) = field.split_at(name.len() - 1);
            assert_eq!(canonical_field(algorithm, name, [&value[1..]]), field, "idempotent");
        }
    }
}

/// RFC 6376 §3.4.3 and §3.4.4, word for word.
fn plain_body(body: &[u8], relaxed: bool) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(rest[..at].to_vec());
        rest = &rest[at + 2..];
    }
    lines.push(rest.to_vec());
    if relaxed {
        for line in &mut lines {
            *line = reduced(line);
            while line.ends_with(b" ") {
                line.pop();
            }
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let mut canonical: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\r\n"].concat()).collect();
    if canonical.is_empty() && !relaxed {
        canonical.extend(b"\r\n");
    }
    canonical
}

/// RFC 6376 §3.4.2: unfolded, white space reduced, none at the ends.
fn plain_value(value: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::new();
    let mut rest = value;
    while let Some(octet) = rest.first() {
        if let Some(after) = rest.strip_prefix(b"\r\n") {
            rest = after;
        } else {
            unfolded.push(*octet);
            rest = &rest[1..];
        }
    }
    let reduced = reduced(&unfolded);
    let reduced = reduced.strip_prefix(b" ").unwrap_or(&reduced);
    reduced.strip_suffix(b" ").unwrap_or(reduced).to_vec()
}

fn reduced(text: &[u8]) -> Vec<u8> {
    let mut reduced: Vec<u8> = Vec::with_capacity(text.len());
    for octet in text {
        match octet {
            b' ' | b'\t' if reduced.last() == Some(&b' ') => {}
            b' ' | b'\t' => reduced.push(b' '),
            _ => reduced.push(*octet),
        }
    }
    reduced
}

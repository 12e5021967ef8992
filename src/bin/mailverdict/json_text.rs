//! JSON as it is written (RFC 8259): the fields of objects and the members of lists, one after the other into one buffer.

use std::{
    fmt::{self, Display, Write as _},
    io::Write as _,
};

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    separator: Separator,
}

/// A list that is being written.
#[derive(Debug)]
pub(crate) struct List<'o> {
    out: &'o mut Vec<u8>,
    separator: Separator,
}

/// What stands before the next field or member.
#[derive(Debug)]
enum Separator {
    None,
    Comma,
}

impl Separator {
    fn write(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::None => *self = Self::Comma,
            Self::Comma => out.push(b','),
        }
    }
}

/// Adds an object with the fields that `fields` writes.
pub(crate) fn object(out: &mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fields(&mut Object { out, separator: Separator::None });
    out.push(b'}');
}

fn list(out: &mut Vec<u8>, members: impl FnOnce(&mut List<'_>)) {
    out.push(b'[');
    members(&mut List { out, separator: Separator::None });
    out.push(b']');
}

/// Each method adds a field; names are such as need no escapes.
impl Object<'_> {
    #[inline]
    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.separator.write(self.out);
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A value that is JSON already.
    pub(crate) fn json(&mut self, name: &'static str, value: &str) {
        self.name(name).extend_from_slice(value.as_bytes());
    }

    pub(crate) fn null(&mut self, name: &'static str) {
        self.json(name, "null");
    }

    pub(crate) fn truth(&mut self, name: &'static str, value: bool) {
        self.json(name, if value { "true" } else { "false" });
    }

    pub(crate) fn number(&mut self, name: &'static str, value: impl Into<Number>) {
        number(self.name(name), value.into());
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        text(self.name(name), value);
    }

    /// What `value` displays, as a text.
    pub(crate) fn shown(&mut self, name: &'static str, value: &impl Display) {
        shown(self.name(name), value);
    }

    pub(crate) fn object(&mut self, name: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        object(self.name(name), fields);
    }

    pub(crate) fn list(&mut self, name: &'static str, members: impl FnOnce(&mut List<'_>)) {
        list(self.name(name), members);
    }

    /// What `members` display, as a list of texts.
    pub(crate) fn texts(&mut self, name: &'static str, members: impl IntoIterator<Item: Display>) {
        self.list(name, |list| members.into_iter().for_each(|member| list.shown(&member)));
    }

    /// What `write` makes of the value; null where there is none.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        value: Option<T>,
        write: impl FnOnce(&mut Self, &'static str, T),
    ) {
        match value {
            Some(value) => write(self, name, value),
            None => self.null(name),
        }
    }
}

/// Each method adds a member.
impl List<'_> {
    pub(crate) fn object(&mut self, fields: impl FnOnce(&mut Object<'_>)) {
        self.separator.write(self.out);
        object(self.out, fields);
    }

    pub(crate) fn shown(&mut self, value: &impl Display) {
        self.separator.write(self.out);
        shown(self.out, value);
    }
}

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Count(usize),
    Difference(i64),
}

impl From<usize> for Number {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<u8> for Number {
    fn from(count: u8) -> Self {
        Self::Count(count.into())
    }
}

impl From<i64> for Number {
    fn from(difference: i64) -> Self {
        Self::Difference(difference)
    }
}

fn number(out: &mut Vec<u8>, number: Number) {
    // Writing to memory never fails.
    let _ = match number {
        Number::Count(digit @ 0..10) => {
            out.extend(u8::try_from(digit).map(|digit| b'0' + digit));
            Ok(())
        }
        Number::Count(count) => write!(out, "{count}"),
        Number::Difference(difference) => write!(out, "{difference}"),
    };
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

fn shown(out: &mut Vec<u8>, value: &impl Display) {
    out.push(b'"');
    // Writing to memory never fails.
    let _ = write!(Escaped(out), "{value}");
    out.push(b'"');
}

/// Takes the content of a text, in pieces.
struct Escaped<'o>(&'o mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        push_escaped(self.0, piece);
        Ok(())
    }
}

/// Adds the content of a text.
fn push_escaped(out: &mut Vec<u8>, content: &str) {
    let mut rest = content.as_bytes();
    while let Some((clean, octet, after)) = split_at_special(rest) {
        out.extend_from_slice(clean);
        escape(out, octet);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// RFC 8259 §7: the quotation mark, the backslash and what is below the space must be escaped; the short form is taken where there
/// is one.
fn escape(out: &mut Vec<u8>, octet: u8) {
    let short = match octet {
        b'"' | b'\\' => octet,
        b'\r' => b'r',
        b'\n' => b'n',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            // Writing to memory never fails.
            let _ = write!(out, "\\u{octet:04x}");
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn is_special(octet: u8) -> bool {
    octet < b' ' || octet == b'"' || octet == b'\\'
}

/// What comes before the first octet that must be escaped, that octet, and what comes after it; nothing where there is none.
fn split_at_special(text: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (before, rest) = text.split_at_checked(first_special(text)?)?;
    rest.split_first().map(|(octet, after)| (before, *octet, after))
}

/// The place of the first octet that must be escaped.
fn first_special(text: &[u8]) -> Option<usize> {
    // Without a way out inside of a chunk, so that the octets are compared by vector instructions.
    let is_clean = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |any, octet| any | is_special(*octet));
    let clean = text.as_chunks().0.iter().take_while(is_clean).count() * 16;
    let rest = text.get(clean..)?;
    let (words, end) = rest.as_chunks();
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = special_in_word(word) {
            return Some(clean + number * WORD + at);
        }
    }
    match (text.last_chunk(), end) {
        (_, []) => None,
        // What comes before the end is clean, and may be looked at again.
        (Some(word), _) => special_in_word(word).map(|at| text.len() - WORD + at),
        (None, _) => text.iter().position(|octet| is_special(*octet)),
    }
}

/// Octets of a word.
const WORD: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;

/// The place of the first octet that must be escaped, in arithmetic of all eight at once.
fn special_in_word(word: &[u8; WORD]) -> Option<usize> {
    let octets = u64::from_le_bytes(*word);
    // The highest bit of each octet that is less; an octet that is less borrows from those above it, so that the first one is right.
    let less = |octets: u64, than: u8| octets.wrapping_sub(ONES * u64::from(than)) & !octets;
    let is = |octet: u8| less(octets ^ (ONES * u64::from(octet)), 1);
    let special = (less(octets, b' ') | is(b'"') | is(b'\\')) & (ONES << 7);
    (special != 0).then_some(special.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(fields: impl FnOnce(&mut Object<'_>)) -> String {
        let mut out = Vec::new();
        object(&mut out, fields);
        String::from_utf8(out).unwrap()
    }

    /// Wherever in a text it stands, a character is written as serde_json writes it.
    #[test]
    fn texts_are_escaped_as_others_escape_them() {
        let characters = (0..0x180).chain([0x2028, 0xfeff, 0xffff, 0x1_f600]).filter_map(char::from_u32);
        for character in characters {
            for before in 0..=33 {
                for after in [0, 1, 5, 16] {
                    let text = format!("{}{character}{character}{}", "x".repeat(before), "\u{e9}".repeat(after));
                    let mut out = b"before".to_vec();
                    super::text(&mut out, &text);
                    let expected = format!("before{}", serde_json::to_string(&text).unwrap());
                    assert_eq!(String::from_utf8(out).unwrap(), expected);
                    assert_eq!(written(|object| object.shown("a", &text)), json!({"a": text}).to_string());
                }
            }
        }
    }

    #[test]
    fn objects_and_lists_have_commas_between_and_nothing_where_they_are_empty() {
        let all = written(|object| {
            object.json("id", "1.50");
            object.object("none", |_| {});
            object.list("empty", |_| {});
            object.list("members", |list| {
                list.shown(&"a");
                list.object(|object| object.truth("b", true));
                list.object(|object| object.truth("c", false));
            });
            object.texts("texts", [1, 23]);
            object.optional("some", Some("text"), Object::text);
            object.optional("null", None, Object::text);
        });
        let expected = r#"{"id":1.50,"none":{},"empty":[],"members":["a",{"b":true},{"c":false}],"texts":["1","23"],"some":"text","null":null}"#;
        assert_eq!(all, expected);
        serde_json::from_str::<Value>(&all).unwrap();
    }

    #[test]
    fn numbers_are_written_in_full() {
        for count in [0, 1, 9, 10, 11, 99, 100, 2048, usize::MAX] {
            assert_eq!(written(|object| object.number("n", count)), json!({"n": count}).to_string());
        }
        for difference in [0, -1, 7, i64::MIN, i64::MAX] {
            assert_eq!(written(|object| object.number("n", difference)), json!({"n": difference}).to_string());
        }
    }
}

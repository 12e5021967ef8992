//! JSON as it is written (RFC 8259): the fields of objects and the members of lists, one after the other into one buffer.

use crate::escape::{push_json, push_text};
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

    /// A value that is JSON already, as somebody wrote it.
    pub(crate) fn json(&mut self, name: &'static str, value: &str) {
        push_json(self.name(name), value);
    }

    pub(crate) fn null(&mut self, name: &'static str) {
        self.name(name).extend_from_slice(b"null");
    }

    pub(crate) fn truth(&mut self, name: &'static str, value: bool) {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.name(name).extend_from_slice(word);
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
    push_text(out, text);
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
        push_text(self.0, piece);
        Ok(())
    }
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

    /// However it is handed over.
    #[test]
    fn texts_are_escaped() {
        let text = "a\"\u{9b}\u{e9}\n";
        let expected = r#"{"a":"a\"\u009bé\n"}"#;
        assert_eq!(written(|object| object.text("a", text)), expected);
        assert_eq!(written(|object| object.shown("a", &text)), expected);
        assert_eq!(written(|object| object.texts("a", [text])), r#"{"a":["a\"\u009bé\n"]}"#);
        assert_eq!(written(|object| object.json("a", "[\"\u{9b}\"]")), r#"{"a":["\u009b"]}"#);
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

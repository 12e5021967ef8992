//! JSON as it is printed: each value on a line of its own, in which nothing acts on a terminal or hides from the eye.

use crate::escape::{write_json, write_text};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io;

/// Adds a line.
pub(crate) fn push_line(out: &mut Vec<u8>, value: &impl Serialize) {
    push(out, value);
    out.push(b'\n');
}

/// Writes a line while it is made.
pub(crate) fn write_line(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Safe)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Adds a line with the members of an object, behind `id`, which is JSON already.
pub(crate) fn push_line_with_id(out: &mut Vec<u8>, id: &str, object: &impl Serialize) {
    out.extend_from_slice(b"{\"id\":");
    // Writing to memory never fails.
    let _ = write_json(out, id);
    let start = out.len();
    push_line(out, object);
    if let Some(brace) = out.get_mut(start) {
        *brace = b',';
    }
}

/// One line with its end.
pub(crate) fn to_line(value: &impl Serialize) -> String {
    let mut line = Vec::new();
    push_line(&mut line, value);
    String::from_utf8_lossy(&line).into_owned()
}

/// A document of several lines, for files.
pub(crate) fn to_page(value: &impl Serialize) -> String {
    let mut page = Vec::new();
    // Writing to memory never fails, and all members have names that are texts.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut page, Pretty(PrettyFormatter::new())));
    page.push(b'\n');
    String::from_utf8_lossy(&page).into_owned()
}

fn push(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing to memory never fails, and all members have names that are texts.
    let _ = value.serialize(&mut Serializer::with_formatter(out, Safe));
}

/// Escapes more than JSON asks for.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_text(out, fragment)
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_json(out, fragment)
    }
}

/// The same, a member a line.
struct Pretty<'i>(PrettyFormatter<'i>);

impl Formatter for Pretty<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        Safe.write_string_fragment(out, fragment)
    }
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// However it is handed over.
    #[test]
    fn texts_are_escaped() {
        let text = "a\"\u{9b}\u{e9}\n";
        assert_eq!(to_line(&json!({ "a": text })), "{\"a\":\"a\\\"\\u009bé\\n\"}\n");
        assert_eq!(to_line(&json!([{ text: 1 }])), "[{\"a\\\"\\u009bé\\n\":1}]\n");
        assert_eq!(to_line(&format_args!("{text}")), "\"a\\\"\\u009bé\\n\"\n");
    }

    #[test]
    fn the_id_stands_first_and_as_it_was_written() {
        let mut out = Vec::new();
        push_line_with_id(&mut out, "[1.50, \"\u{9b}\"]", &json!({ "a": null }));
        assert_eq!(out, b"{\"id\":[1.50, \"\\u009b\"],\"a\":null}\n");
        serde_json::from_slice::<Value>(&out).unwrap();
    }
}

//! What JSON of strangers' texts must not hold as it is: RFC 8259 forbids some of it, and on some a terminal, a browser or a reader's eye
//! may act.

use std::io::{self, Write};

/// Writes the content of a text.
pub(crate) fn write_text(out: &mut (impl Write + ?Sized), content: &str) -> io::Result<()> {
    let mut rest = content;
    while let Some((clean, character, after)) = split_at_suspect(rest) {
        out.write_all(clean.as_bytes())?;
        write_character(out, character)?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// Writes a value that is JSON already: the same value, in which what is raw and would be escaped in a text is escaped.
pub(crate) fn write_json(out: &mut (impl Write + ?Sized), json: &str) -> io::Result<()> {
    let mut rest = json;
    while let Some((clean, character, after)) = split_at_suspect(rest) {
        out.write_all(clean.as_bytes())?;
        match character {
            // They are JSON's own.
            '"' => out.write_all(b"\"")?,
            '\\' => out.write_all(b"\\")?,
            // RFC 8259 §2: outside of texts controls are white space, and there are none within (§7).
            '\0'..' ' => out.write_all(b" ")?,
            _ => write_character(out, character)?,
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// RFC 8259 §7: the quotation mark, the backslash and what is below the space must be escaped; the short form is taken where there
/// is one. Beyond the Basic Multilingual Plane there are two escapes, of the surrogates.
fn write_character(out: &mut (impl Write + ?Sized), character: char) -> io::Result<()> {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\r' => b'r',
        '\n' => b'n',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        _ if is_active(character) => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            return Ok(());
        }
        _ => return out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes()),
    };
    out.write_all(&[b'\\', short])
}

/// Whether the character does something where it is shown, or hides: controls (C0, DEL and C1, among them U+009B, which begins control
/// sequences of terminals), line and paragraph separators (which end a line of JavaScript), marks that turn the direction of writing,
/// interlinear annotations, and all that Unicode calls default ignorable (`Default_Ignorable_Code_Point` of Unicode 16), as joiners, fillers,
/// the byte order mark, variation selectors and tags.
pub(crate) fn is_active(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// What comes before the first character that may have to be escaped, that character, and what comes after it; nothing where there is
/// none.
fn split_at_suspect(text: &str) -> Option<(&str, char, &str)> {
    // Where all octets before are ASCII, a character begins.
    let (before, rest) = text.split_at_checked(first_suspect(text.as_bytes())?)?;
    let mut characters = rest.chars();
    characters.next().map(|character| (before, character, characters.as_str()))
}

/// Whether an octet must be escaped, or belongs to a character that must be looked at.
fn is_suspect(octet: u8) -> bool {
    !matches!(octet, b' '..=b'~') || octet == b'"' || octet == b'\\'
}

/// The place of the first such octet.
fn first_suspect(text: &[u8]) -> Option<usize> {
    // Without a way out inside of a chunk, so that the octets are compared by vector instructions.
    let is_clean = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |any, octet| any | is_suspect(*octet));
    let clean = text.as_chunks().0.iter().take_while(is_clean).count() * 16;
    let rest = text.get(clean..)?;
    let (words, end) = rest.as_chunks();
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = suspect_in_word(word) {
            return Some(clean + number * WORD + at);
        }
    }
    match (text.last_chunk(), end) {
        (_, []) => None,
        // What comes before the end is clean, and may be looked at again.
        (Some(word), _) => suspect_in_word(word).map(|at| text.len() - WORD + at),
        (None, _) => text.iter().position(|octet| is_suspect(*octet)),
    }
}

/// Octets of a word.
const WORD: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;

/// The place of the first suspect octet, in arithmetic of all eight at once.
fn suspect_in_word(word: &[u8; WORD]) -> Option<usize> {
    let octets = u64::from_le_bytes(*word);
    // The highest bit of each octet that is less; an octet that is less borrows from those above it, so that the first one is right.
    let less = |octets: u64, than: u8| octets.wrapping_sub(ONES * u64::from(than)) & !octets;
    let is = |octet: u8| less(octets ^ (ONES * u64::from(octet)), 1);
    let suspect = (less(octets, b' ') | is(b'"') | is(b'\\') | is(0x7f) | octets) & (ONES << 7);
    (suspect != 0).then_some(suspect.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn text(content: &str) -> String {
        let mut out = b"\"".to_vec();
        write_text(&mut out, content).unwrap();
        out.push(b'"');
        String::from_utf8(out).unwrap()
    }

    fn json(value: &str) -> String {
        let mut out = Vec::new();
        write_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Wherever in a text it stands, a character is written as serde_json writes it, or as an escape that is read as the same.
    #[test]
    fn texts_are_escaped_as_others_escape_them_and_where_they_do_not() {
        let characters = (0..0x180).chain([0x2028, 0xfeff, 0xffff, 0x1_f600, 0xe_0041]).filter_map(char::from_u32);
        for character in characters {
            for before in 0..=33 {
                for after in [0, 1, 5, 16] {
                    let content = format!("{}{character}{character}{}", "x".repeat(before), "\u{e9}".repeat(after));
                    let (found, expected) = (text(&content), serde_json::to_string(&content).unwrap());
                    assert_eq!(serde_json::from_str::<String>(&found).unwrap(), content);
                    assert_eq!(found != expected, is_active(character) && character >= '\u{7f}', "{found} {expected}");
                    // As it was written by somebody who escapes no more than he must.
                    assert_eq!(json(&expected), found);
                }
            }
        }
    }

    /// The characters at both sides of each border, and none that is a letter or a sign.
    #[test]
    fn what_terminals_and_browsers_act_on_is_escaped() {
        for (raw, escaped) in [
            ("\u{7e}", "\u{7e}"),
            ("\u{7f}", r"\u007f"),
            ("\u{9b}", r"\u009b"),
            ("\u{9f}", r"\u009f"),
            ("\u{a0}", "\u{a0}"),
            ("\u{ad}", r"\u00ad"),
            ("\u{ae}", "\u{ae}"),
            ("\u{61b}", "\u{61b}"),
            ("\u{61c}", r"\u061c"),
            ("\u{200a}", "\u{200a}"),
            ("\u{200b}", r"\u200b"),
            ("\u{200f}", r"\u200f"),
            ("\u{2010}", "\u{2010}"),
            ("\u{2027}", "\u{2027}"),
            ("\u{2028}", r"\u2028"),
            ("\u{2029}", r"\u2029"),
            ("\u{202e}", r"\u202e"),
            ("\u{202f}", "\u{202f}"),
            ("\u{205f}", "\u{205f}"),
            ("\u{2060}", r"\u2060"),
            ("\u{2066}", r"\u2066"),
            ("\u{2069}", r"\u2069"),
            ("\u{2070}", "\u{2070}"),
            ("\u{feff}", r"\ufeff"),
            ("\u{fff9}", r"\ufff9"),
            ("\u{fffb}", r"\ufffb"),
            ("\u{fffc}", "\u{fffc}"),
            ("\u{1f600}", "\u{1f600}"),
            ("\u{dffff}", "\u{dffff}"),
            ("\u{e0000}", r"\udb40\udc00"),
            ("\u{e0fff}", r"\udb43\udfff"),
            ("\u{e1000}", "\u{e1000}"),
        ] {
            assert_eq!(text(raw), format!("\"{escaped}\""));
            assert_eq!(json(&format!("\"{raw}\"")), format!("\"{escaped}\""));
        }
    }

    #[test]
    fn values_stay_the_same_values() {
        for (raw, safe) in [
            ("1.50", "1.50"),
            ("{\"a\":[1,  2]}", "{\"a\":[1,  2]}"),
            ("[1,\r2,\t3]", "[1, 2, 3]"),
            ("{\"\u{9b}\":\"\u{2028}\\\"\\\\\u{7f}\"}", "{\"\\u009b\":\"\\u2028\\\"\\\\\\u007f\"}"),
            (r#""\u00e9\u009b""#, r#""\u00e9\u009b""#),
        ] {
            assert_eq!(json(raw), safe);
            assert_eq!(serde_json::from_str::<Value>(&json(raw)).unwrap(), serde_json::from_str::<Value>(raw).unwrap());
        }
    }
}

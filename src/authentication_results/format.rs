//! The field as text.

use super::{
    AuthenticationResults, Describe, MethodResult, Property, Results,
    describe::{MAX_VALUE_LEN, shown_value},
    fold::{Folded, Marks, Phrase},
};
use crate::lex::{
    quoted::{is_dot_atom, is_dotted, push_escaped},
    structured::{is_escaped, is_keyword_char},
};
use std::{borrow::Cow, fmt};

/// What stands before the value; the first line has room for so much less.
const FIELD_START: &str = "Authentication-Results: ";

/// What begins the line of each result.
const RESULT_INDENT: &str = "    ";

/// RFC 5322 §3.2.4.
const QUOTES: Marks = Marks { open: '"', close: '"' };

/// RFC 5322 §3.2.2.
const PARENTHESES: Marks = Marks { open: '(', close: ')' };

impl AuthenticationResults {
    /// The whole field, folded, from its name to the CRLF at its end.
    pub fn to_header_field(&self) -> String {
        self.written().finish()
    }

    fn written(&self) -> FieldWriter {
        let mut writer = FieldWriter::new(&self.authserv_id);
        if let Some(version) = self.version {
            writer.field.word(&version.to_string());
        }
        self.comments.iter().for_each(|text| writer.comment(text));
        // What `none` means in another version is not known here.
        if self.results.is_empty() && self.not_understood.is_empty() && self.is_version_known() {
            writer.field.put(";");
            writer.field.word("none");
        }
        self.results.iter().for_each(|result| result.write(&mut writer));
        for text in &self.not_understood {
            writer.field.put(";");
            writer.field.phrase("", &quoted_string(text, &mut writer.scratch));
        }
        writer
    }
}

impl fmt::Display for AuthenticationResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.written().field.finish().strip_prefix(FIELD_START).unwrap_or_default())
    }
}

impl MethodResult {
    fn write(&self, writer: &mut FieldWriter) {
        writer.begin(&keyword(&self.method), self.version, &keyword(&self.result));
        self.comments.iter().for_each(|text| writer.comment(text));
        if let Some(reason) = &self.reason {
            writer.field.pair("reason=", &value(reason, &mut writer.scratch));
        }
        for Property { ptype, property, value } in &self.properties {
            let key = format!("{}.{}=", keyword(ptype), keyword(property));
            writer.field.pair(&key, &pvalue(value, &mut writer.scratch));
        }
        for text in &self.not_understood {
            writer.field.phrase("", &not_understood(text, &mut writer.scratch));
        }
    }
}

/// A field being written, a result after the other.
#[derive(Debug)]
pub(crate) struct FieldWriter {
    field: Folded,
    /// One buffer for all that is not written as it is; few fields need it.
    scratch: String,
}

impl FieldWriter {
    /// The name of the field and who evaluated.
    pub(crate) fn new(authserv_id: &str) -> Self {
        let mut writer = Self { field: Folded::after(FIELD_START), scratch: String::new() };
        writer.field.put_phrase(&value(authserv_id, &mut writer.scratch));
        writer
    }

    /// The whole field, with the CRLF at its end.
    pub(crate) fn finish(self) -> String {
        let mut field = self.field.finish();
        field.push_str("\r\n");
        field
    }

    /// Octets that were written, those at the end not counted.
    pub(crate) fn len(&self) -> usize {
        self.field.len()
    }

    fn begin(&mut self, method: &str, version: Option<u32>, result: &str) {
        self.field.put(";");
        self.field.line(RESULT_INDENT);
        self.field.put(method);
        if let Some(version) = version {
            self.field.put(&format!("/{version}"));
        }
        self.field.put("=");
        self.field.put(result);
    }
}

impl Results for FieldWriter {
    type Description = Self;

    fn result(&mut self, method: &'static str, result: &'static str, describe: impl FnOnce(&mut Self)) {
        self.begin(method, None, result);
        describe(self);
    }
}

impl Describe for FieldWriter {
    fn comment(&mut self, text: &str) {
        self.field.phrase("", &comment(text, &mut self.scratch));
    }

    fn reason(&mut self, text: &str) {
        self.field.pair("reason=", &value(text, &mut self.scratch));
    }

    fn property(&mut self, key: &'static str, value: &str) {
        // So is a token.
        if value.len() <= MAX_VALUE_LEN && is_token(value) {
            self.field.pair(key, &Phrase::plain(value));
        } else if let Some(value) = shown_value(value) {
            self.field.pair(key, &pvalue(&value, &mut self.scratch));
        }
    }
}

/// `Keyword` of RFC 5321 §4.1.2, with the underscore that some senders use; what is none of that is left out.
fn keyword(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| is_keyword_char(char::from(octet))) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| is_keyword_char(*c)).collect())
}

/// `token` of RFC 2045 §5.1: all printable ASCII but the space and `tspecials`.
pub(super) fn is_token(text: &str) -> bool {
    // A bit for each octet is quicker than to compare it with one after another, and every property asks.
    let is_token_octet = |octet: u8| TOKEN_OCTETS.checked_shr(octet.into()).is_some_and(|bits| bits & 1 == 1);
    !text.is_empty() && text.bytes().all(is_token_octet)
}

const TOKEN_OCTETS: u128 = bits(b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~");

/// A bit for each octet of ASCII.
const fn bits(mut octets: &[u8]) -> u128 {
    let mut bits = 0;
    while let [octet, rest @ ..] = octets {
        bits |= 1 << *octet;
        octets = rest;
    }
    bits
}

/// `domain-name` of RFC 6376 §3.5, with the underscore, and U-labels (RFC 8616 §4).
fn is_domain_name(text: &str) -> bool {
    is_dotted(text, |c| is_keyword_char(c) || (!c.is_ascii() && !is_escaped(c)))
}

/// `value` of RFC 2045 §5.1: a token, or else a quoted string, written to `scratch` where it does not stand there as it is.
fn value<'t>(text: &'t str, scratch: &'t mut String) -> Phrase<'t> {
    if is_token(text) { Phrase::plain(text) } else { quoted_string(text, scratch) }
}

/// `pvalue` of RFC 8601 §2.2. What is an address or a domain is written as one.
fn pvalue<'t>(text: &'t str, scratch: &'t mut String) -> Phrase<'t> {
    if is_token(text) {
        return Phrase::plain(text);
    }
    match text.rsplit_once('@') {
        Some(("", domain)) if is_domain_name(domain) => Phrase::plain(text),
        Some((local, domain)) if is_domain_name(domain) => {
            if is_dot_atom(local) && !looks_like_a_property(local) {
                Phrase::plain(text)
            } else {
                write_marked(QUOTES, local, b"\"\\", scratch);
                scratch.push('@');
                scratch.push_str(domain);
                Phrase::plain(scratch)
            }
        }
        None if is_domain_name(text) => Phrase::plain(text),
        Some(_) | None => quoted_string(text, scratch),
    }
}

/// RFC 8601 §2.3: the registered property types.
pub(super) fn is_known_ptype(text: &str) -> bool {
    matches!(text, "smtp" | "header" | "body" | "policy")
}

/// Whether a reader that expects no value might take the text for the next property.
fn looks_like_a_property(text: &str) -> bool {
    text.contains('=') && text.split_once('.').is_some_and(|(ptype, _)| is_known_ptype(&ptype.to_ascii_lowercase()))
}

/// A word of its own: `token=token` as it is (some senders write `action=none`), anything else as a quoted string.
fn not_understood<'t>(text: &'t str, scratch: &'t mut String) -> Phrase<'t> {
    match text.split_once('=') {
        Some((key, word))
            if !key.eq_ignore_ascii_case("reason") && !key.contains('.') && is_token(key) && is_token(word) =>
        {
            Phrase::plain(text)
        }
        Some(_) | None => quoted_string(text, scratch),
    }
}

/// `quoted-string` of RFC 5322 §3.2.4.
fn quoted_string<'t>(text: &'t str, scratch: &'t mut String) -> Phrase<'t> {
    marked(QUOTES, text, b"\"\\", scratch)
}

/// `comment` of RFC 5322 §3.2.2; parentheses inside are quoted, so that no nesting is needed.
fn comment<'t>(text: &'t str, scratch: &'t mut String) -> Phrase<'t> {
    marked(PARENTHESES, text, b"()\\", scratch)
}

fn marked<'t>(marks: Marks, text: &'t str, special: &[u8], scratch: &'t mut String) -> Phrase<'t> {
    if is_even(text) {
        return Phrase::even(marks, text);
    }
    write_marked(marks, text, special, scratch);
    Phrase::plain(scratch)
}

fn write_marked(marks: Marks, text: &str, special: &[u8], scratch: &mut String) {
    scratch.clear();
    scratch.push(marks.open);
    push_escaped(scratch, text, special);
    scratch.push(marks.close);
}

/// Whether the text is words of printable ASCII with one space between them, and nothing is special there, in quotes or a comment.
fn is_even(text: &str) -> bool {
    let octets = text.as_bytes();
    let next = octets.get(1..).unwrap_or_default();
    // Without a way out, so that the octets are compared by vector instructions.
    let is_odd = |octet: u8| {
        let special =
            u8::from(octet == b'"') | u8::from(octet == b'(') | u8::from(octet == b')') | u8::from(octet == b'\\');
        special | u8::from(octet.wrapping_sub(b' ') > b'~' - b' ')
    };
    let odd = octets.iter().fold(0, |any, octet| any | is_odd(*octet));
    let is_wide = |octet: u8, next: u8| u8::from(octet == b' ') & u8::from(next == b' ');
    let wide = octets.iter().zip(next).fold(0, |any, (octet, next)| any | is_wide(*octet, *next));
    odd | wide == 0 && !text.starts_with(' ') && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_value(value: &str) -> String {
        let mut field = AuthenticationResults::none("a.example");
        field.results.push(MethodResult::new("spf", "pass").with_property("smtp", "mailfrom", value));
        let written = field.to_string();
        written.strip_prefix("a.example;\r\n    spf=pass smtp.mailfrom=").unwrap().to_owned()
    }

    #[test]
    fn values_are_tokens_addresses_or_quoted_strings() {
        for plain in ["example.com", "a@example.com", "@example.com", "a=b@example.com", "jörg@bücher.example"] {
            assert_eq!(with_value(plain), plain);
        }
        for (text, quoted) in [
            ("", r#""""#),
            ("a;b", r#""a;b""#),
            ("a/b=", r#""a/b=""#),
            ("2001:db8::1", r#""2001:db8::1""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("a b@example.com", r#""a b"@example.com"#),
            ("a@b@example.com", r#""a@b"@example.com"#),
            ("a..b@example.com", r#""a..b"@example.com"#),
            ("a@[192.0.2.1]", r#""a@[192.0.2.1]""#),
        ] {
            assert_eq!(with_value(text), quoted, "{text:?}");
        }
    }

    #[test]
    fn nothing_ends_the_field() {
        for hostile in ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b", "\u{202e}a"] {
            let written = with_value(hostile);
            assert!(!written.contains(|c: char| c.is_control() || is_escaped(c)), "{written:?}");
        }
        assert_eq!(with_value("a\r\nX: y"), r#""a\\r\\nX: y""#);
    }

    #[test]
    fn comments_hold_no_open_parenthesis() {
        let mut field = AuthenticationResults::none("a.example");
        field.results.push(MethodResult::new("dkim", "fail").with_comment(r"a) (b\"));
        assert_eq!(field.to_string(), "a.example;\r\n    dkim=fail (a\\) \\(b\\\\)");
    }

    #[test]
    fn lines_have_no_more_than_78_columns_where_words_allow_it() {
        let mut field = AuthenticationResults::none("a.example");
        let result =
            MethodResult::new("dkim", "fail").with_reason("many words ".repeat(40)).with_comment(&"x ".repeat(99));
        let long = format!("{}.example", "d".repeat(60));
        field.results.push(result.with_property("header", "d", "example.com").with_property("header", "i", long));
        let written = field.to_header_field();
        assert!(written.lines().all(|line| line.len() <= 78 && !line.trim().is_empty()), "{written}");
        assert!(written.lines().skip(1).all(|line| line.starts_with(' ')), "{written}");
        assert!(written.contains(&"many words ".repeat(3)));
    }
}

//! The field as it is read: the grammar of RFC 8601 §2.2, and what real senders make of it.

use super::{AuthenticationResults, MethodResult, Property, format::is_known_ptype};
use crate::lex::{
    SyntaxError,
    structured::{Escapes, Scanner, Unterminated, decode},
};

impl AuthenticationResults {
    /// Reads the value of a field: all after the colon, folded or not.
    ///
    /// The whole grammar is understood, and beyond it: values that should have been quoted, a field without authserv-id, empty
    /// values, semicolons too many. What cannot be read is kept in [`not_understood`](Self::not_understood) and in
    /// [`MethodResult::not_understood`], and is never a result. A field of an unknown version has no results (RFC 8601 §2.6).
    ///
    /// Writing what was read and reading it again gives the same.
    ///
    /// # Errors
    /// Where there is nothing that could be an authserv-id: the value is empty, or its first string or comment has no end.
    ///
    /// ```
    /// use mailverdict::authentication_results::AuthenticationResults;
    /// let field = AuthenticationResults::parse(b" mx.example.org 1; dkim=pass (good) header.d=example.com")?;
    /// let dkim = field.of_method("dkim").next().expect("one result");
    /// assert_eq!((&*field.authserv_id, &*dkim.result), ("mx.example.org", "pass"));
    /// assert_eq!(dkim.property("header", "d"), Some("example.com"));
    /// # Ok::<(), mailverdict::SyntaxError>(())
    /// ```
    pub fn parse(value: &[u8]) -> Result<Self, SyntaxError> {
        let no_id = |offset| SyntaxError::new(offset, "authserv-id");
        let mut scanner = Scanner::new(value);
        let head = scanner.segment().map_err(|Unterminated| no_id(0))?;
        let mut field = Self::none("");
        let after_head = field.head(head).map_err(|Unterminated| no_id(0))?;
        field.segment(after_head);
        while !scanner.at_end() {
            let rest = scanner.rest();
            match scanner.segment() {
                Ok(segment) => field.segment(segment),
                Err(Unterminated) => {
                    field.keep(rest);
                    break;
                }
            }
        }
        let says_none = field.not_understood.iter().any(|text| &**text == NO_RESULT);
        if says_none && field.is_version_known() && field.results.is_empty() && field.not_understood.len() == 1 {
            field.not_understood.clear();
        }
        let says_nothing = field.results.is_empty() && field.not_understood.is_empty() && field.comments.is_empty();
        if field.authserv_id.is_empty() && says_nothing && !says_none && !head.contains(&b'"') {
            return Err(no_id(value.len()));
        }
        Ok(field)
    }

    /// Reads the value of an ARC-Authentication-Results field: the instance, and what follows it (RFC 8617 §4.1.1).
    ///
    /// # Errors
    /// Where there is no instance of one or two digits, or what follows cannot be read as [`parse`](Self::parse) does.
    pub fn parse_arc(value: &[u8]) -> Result<(u8, Self), SyntaxError> {
        let (instance, payload) = arc_info(value)?;
        let start = value.len() - payload.len();
        let field = Self::parse(payload).map_err(|error| SyntaxError { offset: error.offset + start, ..error })?;
        Ok((instance, field))
    }

    /// `authserv-id [ CFWS authres-version ]`; returns what follows before the first semicolon.
    fn head<'t>(&mut self, head: &'t [u8]) -> Result<&'t [u8], Unterminated> {
        let mut scanner = Scanner::new(head);
        scanner.cfws(&mut self.comments)?;
        let after_comments = scanner;
        if methodspec(&mut scanner, &mut Vec::new())?.is_some() {
            // Some senders begin with a result, and do not say who they are.
            return Ok(after_comments.rest());
        }
        scanner = after_comments;
        self.authserv_id = scanner.word()?.into();
        let before = self.comments.len();
        let after_id = scanner;
        if scanner.cfws(&mut self.comments)?
            && let Some(version) = scanner.number()
        {
            self.version = Some(version);
            scanner.cfws(&mut self.comments)?;
        } else if !scanner.at_end() {
            self.comments.truncate(before);
            return Ok(after_id.rest());
        }
        Ok(scanner.rest())
    }

    /// RFC 8601 §2.6: this specification is version 1.
    pub(super) fn is_version_known(&self) -> bool {
        matches!(self.version, None | Some(1))
    }

    /// What stands between two semicolons.
    fn segment(&mut self, segment: &[u8]) {
        if !self.is_version_known() {
            return self.keep(segment);
        }
        let mut scanner = Scanner::new(segment);
        let mut comments = Vec::new();
        match MethodResult::parse(segment) {
            Ok(Some(result)) => self.results.push(result),
            Ok(None) | Err(Unterminated) => match scanner.cfws(&mut comments) {
                Ok(_) if scanner.at_end() => self.comments.append(&mut comments),
                Ok(_)
                    if scanner.rest().get(..4).is_some_and(|word| word.eq_ignore_ascii_case(NO_RESULT.as_bytes())) =>
                {
                    scanner.keyword();
                    match scanner.cfws(&mut comments) {
                        Ok(_) if scanner.at_end() => {
                            self.comments.append(&mut comments);
                            self.not_understood.push(NO_RESULT.into());
                        }
                        Ok(_) | Err(Unterminated) => self.keep(segment),
                    }
                }
                Ok(_) | Err(Unterminated) => self.keep(segment),
            },
        }
    }

    /// Keeps a segment as it is; one quoted string is kept for what it says, since that is how it is written again.
    fn keep(&mut self, segment: &[u8]) {
        let segment = segment.trim_ascii();
        if segment.is_empty() {
            return;
        }
        let mut scanner = Scanner::new(segment);
        let text = match (segment.first(), scanner.word()) {
            (Some(b'"'), Ok(text)) if scanner.at_end() => text,
            (_, Ok(_) | Err(Unterminated)) => decode(segment, Escapes::Literal),
        };
        self.not_understood.push(text.into());
    }
}

/// The instance of an ARC-Authentication-Results field, and what follows its semicolon.
pub(crate) fn arc_info(value: &[u8]) -> Result<(u8, &[u8]), SyntaxError> {
    let mut scanner = Scanner::new(value);
    let instance = arc_instance(&mut scanner).map_err(|(offset, expected)| SyntaxError::new(offset, expected))?;
    Ok((instance, scanner.rest()))
}

/// `no-result` of RFC 8601 §2.2.
const NO_RESULT: &str = "none";

/// `arc-info` up to its semicolon (RFC 8617 §3.9, §4.1.1), or where it stopped and what was expected there.
fn arc_instance(scanner: &mut Scanner<'_>) -> Result<u8, (usize, &'static str)> {
    let comments = &mut Vec::new();
    let mut expect = |scanner: &mut Scanner<'_>, octet: u8| {
        let skipped = scanner.cfws(comments).is_ok();
        skipped && scanner.take(octet) && scanner.cfws(comments).is_ok()
    };
    if !(expect(scanner, b'i') && expect(scanner, b'=')) {
        return Err((scanner.offset(), "instance"));
    }
    let digits = scanner.offset();
    let instance =
        scanner.number().filter(|_| scanner.offset() - digits <= 2).and_then(|number| u8::try_from(number).ok());
    match instance {
        None => Err((digits, "instance")),
        // What follows the semicolon is not judged here.
        Some(_) if scanner.cfws(comments).is_err() || !scanner.take(b';') => Err((scanner.offset(), "\";\"")),
        Some(instance) => Ok(instance),
    }
}

/// `[CFWS] method [CFWS] "=" [CFWS]`, up to the result; nothing where there is something else.
fn methodspec(scanner: &mut Scanner<'_>, comments: &mut Vec<Box<str>>) -> Result<Option<Methodspec>, Unterminated> {
    scanner.cfws(comments)?;
    let method = scanner.keyword();
    scanner.cfws(comments)?;
    let mut version = None;
    if scanner.take(b'/') {
        scanner.cfws(comments)?;
        version = scanner.number();
        if version.is_none() {
            return Ok(None);
        }
        scanner.cfws(comments)?;
    }
    if method.is_empty() || !scanner.take(b'=') {
        return Ok(None);
    }
    scanner.cfws(comments)?;
    Ok(Some(Methodspec { method, version }))
}

/// `method`, and its version.
struct Methodspec {
    method: Box<str>,
    version: Option<u32>,
}

impl MethodResult {
    /// `methodspec [ CFWS reasonspec ] *( CFWS propspec )`; nothing where there is no method and result.
    fn parse(segment: &[u8]) -> Result<Option<Self>, Unterminated> {
        let mut scanner = Scanner::new(segment);
        let mut comments = Vec::new();
        let Some(Methodspec { method, version }) = methodspec(&mut scanner, &mut comments)? else { return Ok(None) };
        let result = scanner.keyword();
        if result.is_empty() || !scanner.at_boundary() || scanner.take(b'=') {
            return Ok(None);
        }
        let mut parsed = Self { version, comments, ..Self::new(method.into_string(), result.into_string()) };
        loop {
            scanner.cfws(&mut parsed.comments)?;
            if scanner.at_end() {
                return Ok(Some(parsed));
            }
            let (start, comments_before) = (scanner, parsed.comments.len());
            if !parsed.detail(&mut scanner)? {
                scanner = start;
                parsed.comments.truncate(comments_before);
                let word = scanner.word()?;
                if scanner.offset() == start.offset() {
                    return Ok(None);
                }
                parsed.not_understood.push(word.into());
            }
        }
    }

    /// `reasonspec` or `propspec`; `false` where there is something else.
    fn detail(&mut self, scanner: &mut Scanner<'_>) -> Result<bool, Unterminated> {
        let keyword = scanner.keyword();
        if keyword.is_empty() {
            return Ok(false);
        }
        scanner.cfws(&mut self.comments)?;
        if &*keyword == "reason" && self.reason.is_none() && scanner.take(b'=') {
            scanner.cfws(&mut self.comments)?;
            self.reason = Some(scanner.word()?.into());
            return Ok(true);
        }
        if !scanner.take(b'.') {
            return Ok(false);
        }
        scanner.cfws(&mut self.comments)?;
        let property = scanner.keyword();
        scanner.cfws(&mut self.comments)?;
        if property.is_empty() || !scanner.take(b'=') {
            return Ok(false);
        }
        let value_follows = !scanner.cfws(&mut self.comments)? || !begins_a_property(*scanner);
        let value = if value_follows { scanner.word()? } else { String::new() };
        self.properties.push(Property::new(keyword.into_string(), property.into_string(), value));
        Ok(true)
    }
}

/// Whether a property stands here rather than the value of the one before, which then is empty: some senders write
/// `smtp.mailfrom= header.from=example.com` for the null reverse-path.
fn begins_a_property(mut scanner: Scanner<'_>) -> bool {
    let ptype = scanner.keyword();
    is_known_ptype(&ptype) && scanner.take(b'.') && !scanner.keyword().is_empty() && scanner.take(b'=')
}

//! Structured header fields: words, quoted strings and comments (RFC 5322 §3.2) one after another; linear, without recursion.

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

/// A quoted string or comment without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unterminated;

fn is_white(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_keyword(octet: u8) -> bool {
    is_keyword_char(char::from(octet))
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Takes this octet, if it is the next one.
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let taken = self.peek() == Some(octet);
        self.at += usize::from(taken);
        taken
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|octet| accept(**octet)).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// `[CFWS]`; the comments are appended. Returns whether there was any.
    pub(crate) fn cfws(&mut self, comments: &mut Vec<Box<str>>) -> Result<bool, Unterminated> {
        let start = self.at;
        loop {
            self.take_while(is_white);
            if self.peek() != Some(b'(') {
                return Ok(self.at > start);
            }
            let comment = self.delimited(b'(', b')')?;
            comments.push(decode(comment, Escapes::Quoted).into());
        }
    }

    /// What stands between the delimiters, and passes over both; comments nest, strings do not.
    fn delimited(&mut self, open: u8, close: u8) -> Result<&'t [u8], Unterminated> {
        let rest = self.rest();
        let mut depth = 0_usize;
        let mut octets = rest.iter().enumerate();
        while let Some((at, octet)) = octets.next() {
            match *octet {
                b'\\' => drop(octets.next()),
                octet if octet == close && depth == 1 => {
                    self.at += at + 1;
                    return Ok(rest.get(1..at).unwrap_or_default());
                }
                octet if octet == close && depth > 0 => depth -= 1,
                octet if octet == open => depth += 1,
                _ => {}
            }
        }
        Err(Unterminated)
    }

    /// `Keyword`, in lower case; empty where there is none.
    pub(crate) fn keyword(&mut self) -> Box<str> {
        let keyword = self.take_while(is_keyword);
        String::from_utf8_lossy(keyword).to_ascii_lowercase().into()
    }

    /// `1*DIGIT`, if a number is what stands here; one too large for 32 bits counts as the largest.
    pub(crate) fn number(&mut self) -> Option<u32> {
        let start = self.at;
        let digits = self.take_while(|octet| octet.is_ascii_digit());
        if digits.is_empty() || !self.at_boundary() {
            self.at = start;
            return None;
        }
        let append = |number: u32, digit: &u8| number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
        Some(digits.iter().fold(0, append))
    }

    /// Whether a word cannot go on here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.peek().is_none_or(|octet| is_white(octet) || matches!(octet, b'(' | b'=' | b';'))
    }

    /// All up to white space, a comment or a semicolon, with quoted strings inside, decoded.
    pub(crate) fn word(&mut self) -> Result<String, Unterminated> {
        let mut word = String::new();
        loop {
            let plain = self.take_while(|octet| !is_white(octet) && !matches!(octet, b'(' | b'"' | b';'));
            word.push_str(&decode(plain, Escapes::Literal));
            if self.peek() != Some(b'"') {
                return Ok(word);
            }
            word.push_str(&decode(self.delimited(b'"', b'"')?, Escapes::Quoted));
        }
    }

    /// All up to the next semicolon that stands in no string and no comment, and passes over it.
    pub(crate) fn segment(&mut self) -> Result<&'t [u8], Unterminated> {
        let start = self.at;
        loop {
            self.take_while(|octet| !matches!(octet, b'(' | b'"' | b';'));
            match self.peek() {
                Some(b'(') => drop(self.delimited(b'(', b')')?),
                Some(b'"') => drop(self.delimited(b'"', b'"')?),
                Some(_) | None => {
                    let segment = self.text.get(start..self.at).unwrap_or_default();
                    self.at += usize::from(self.peek().is_some());
                    return Ok(segment);
                }
            }
        }
    }
}

/// A character of `Keyword` of RFC 5321 §4.1.2, with the underscore that some senders use.
pub(crate) fn is_keyword_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Characters that do not stand in a field: those that end lines or texts, and those that hide or reorder what stands there.
pub(crate) fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{fffd}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// What a backslash means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// Itself.
    Literal,
    /// `quoted-pair`: the octet after it, whatever that is.
    Quoted,
}

/// The text without folding and quoted pairs; octets that do not stand in the field become escapes.
pub(crate) fn decode(raw: &[u8], escapes: Escapes) -> String {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [octet, after @ ..] = rest {
        rest = match (octet, after) {
            (b'\\', [quoted, after @ ..]) if escapes == Escapes::Quoted => {
                octets.push(*quoted);
                after
            }
            // RFC 5322 §2.2.3: unfolding takes the line end away and leaves the white space.
            (b'\r', [b'\n', after @ ..]) | (b'\n', after) if matches!(after, [b' ' | b'\t', ..]) => after,
            (b'\t', after) => {
                octets.push(b' ');
                after
            }
            (octet, after) => {
                octets.push(*octet);
                after
            }
        };
    }
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_escaped(c) { text.extend(c.escape_default()) } else { text.push(c) }
        }
        chunk.invalid().iter().for_each(|octet| text.extend(std::ascii::escape_default(*octet).map(char::from)));
    }
    text
}

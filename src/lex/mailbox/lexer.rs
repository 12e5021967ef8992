//! The tokens of a mailbox list.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Atom(&'t [u8]),
    QuotedString,
    DomainLiteral,
    /// One of `< > , ; : @ .`.
    Special(u8),
    /// An octet that may not stand where it stands, or a quoted string, comment or literal without its end.
    Bad,
    End,
}

pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Lexer<'t> {
    /// At the start of `text`.
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn text(&self) -> &'t [u8] {
        self.text
    }

    /// What was read since `start`.
    pub(super) fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes over the rest, and gives the length of the text.
    pub(super) fn pass_over_rest(&mut self) -> usize {
        self.at = self.text.len();
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next token after `[CFWS]`, and where it starts.
    pub(super) fn next(&mut self) -> (Token<'t>, usize) {
        if !self.skip_cfws() {
            return (Token::Bad, self.at);
        }
        let start = self.at;
        let Some(octet) = self.peek() else { return (Token::End, start) };
        let token = match octet {
            b'<' | b'>' | b',' | b';' | b':' | b'@' | b'.' => {
                self.at += 1;
                Token::Special(octet)
            }
            b'"' => self.enclosed(b'"', Token::QuotedString),
            b'[' => self.enclosed(b']', Token::DomainLiteral),
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let len = rest.iter().take_while(|octet| is_atext(**octet)).count();
                self.at += len;
                if len == 0 { Token::Bad } else { Token::Atom(rest.get(..len).unwrap_or_default()) }
            }
        };
        (token, start)
    }

    /// From the opening octet to the closing one, over quoted pairs.
    fn enclosed(&mut self, close: u8, token: Token<'t>) -> Token<'t> {
        let start = self.at;
        self.at += 1;
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'\\' => self.at += 1,
                _ if octet == close => return token,
                // RFC 5322 §3.4.1: dtext has no "[".
                b'[' if close == b']' => break,
                _ if !self.is_text(octet) => break,
                _ => {}
            }
        }
        self.at = start;
        Token::Bad
    }

    /// Whether `octet`, just taken, may stand in a comment, a quoted string or a literal: no NUL, and CR and LF as line end only.
    fn is_text(&self, octet: u8) -> bool {
        match octet {
            0 => false,
            b'\r' => self.peek() == Some(b'\n'),
            _ => true,
        }
    }

    /// White space, line ends and comments, however deeply nested; false where a comment has no end or a CR stands alone.
    fn skip_cfws(&mut self) -> bool {
        let mut depth = 0_usize;
        let mut comment_start = self.at;
        while let Some(octet) = self.peek() {
            let start = self.at;
            self.at += 1;
            let fits = match octet {
                b' ' | b'\t' | b'\n' => true,
                b'\r' => self.peek() == Some(b'\n'),
                b'(' => {
                    if depth == 0 {
                        comment_start = start;
                    }
                    depth += 1;
                    true
                }
                _ if depth == 0 => {
                    self.at = start;
                    return true;
                }
                b')' => {
                    depth -= 1;
                    true
                }
                b'\\' => {
                    self.at += 1;
                    true
                }
                _ => self.is_text(octet),
            };
            if !fits {
                self.at = if depth == 0 { start } else { comment_start };
                return false;
            }
        }
        self.at = if depth == 0 { self.text.len() } else { comment_start };
        depth == 0
    }
}

/// `atext` of RFC 5322 §3.2.3 and RFC 6532 §3.2. Octets that are no UTF-8 are let through as well: they do no harm in a display
/// name, and make no domain.
fn is_atext(octet: u8) -> bool {
    matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'0'..=b'9' | b'=' | b'?' | b'A'..=b'Z' | b'^'..=b'~' | 0x80..)
}

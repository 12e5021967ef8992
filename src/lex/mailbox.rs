//! `mailbox-list` of RFC 5322 §3.4 (with the obsolete forms of §4.4, the groups that RFC 6854 allows in From, and the UTF-8 of
//! RFC 6532), read for its domains.
//!
//! Comments, quoted strings and groups are walked, not recursed into; each octet is looked at a bounded number of times.

mod lexer;

use super::{
    SyntaxError,
    at_sign::{has_at_sign, has_hidden_at_sign},
    encoded_word,
};
use lexer::{Lexer, Token};
use smallvec::SmallVec;
use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
    str,
};

/// The domain of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailboxDomain<'t> {
    /// Labels joined by dots, without comments and white space; may hold U-labels, and one final dot. Owned only where something
    /// stood between them.
    Name(Cow<'t, str>),
    /// An address literal, `[192.0.2.1]`: there is no domain.
    Literal,
}

/// What a mailbox list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MailboxList<'t> {
    /// The domain of each mailbox that follows the grammar, in order.
    pub(crate) domains: SmallVec<[MailboxDomain<'t>; 1]>,
    /// The first place where the text does not follow the grammar.
    pub(crate) error: Option<SyntaxError>,
    /// Whether an `@`, or what readers decode or fold to one, stands in a part that does not follow the grammar, or within a local part:
    /// for other readers another address may stand there.
    pub(crate) unread_at_sign: bool,
    /// The first local part that holds an encoded word, though it follows the grammar (RFC 2047 §5).
    pub(crate) encoded_local_part: Option<&'t [u8]>,
}

/// Reads a mailbox list. A member that does not follow the grammar is passed over up to the next comma, and noted.
pub(crate) fn mailbox_list(text: &[u8]) -> MailboxList<'_> {
    let mut list = MailboxList::default();
    let mut reader = Reader { lexer: Lexer::new(text), token: Token::End, start: 0, in_group: false, local_part: 0..0 };
    reader.advance();
    loop {
        let member_start = reader.start;
        match reader.member() {
            Ok(Member::Mailbox(domain)) => {
                list.domains.push(domain);
                list.see_local_part(text, reader.local_part.clone());
            }
            Ok(Member::None) => {}
            Ok(Member::End) => return list,
            Err(expected) => {
                let error = SyntaxError::new(reader.start, expected);
                list.error.get_or_insert(error);
                reader.skip_member();
                let passed_over = text.get(member_start..reader.start).unwrap_or_default();
                list.unread_at_sign |= has_at_sign(passed_over);
            }
        }
    }
}

impl<'t> MailboxList<'t> {
    /// Local parts have no encoded words (RFC 2047 §5), and need no `@` of another script.
    fn see_local_part(&mut self, text: &'t [u8], place: Range<usize>) {
        let start = place.start;
        let local_part = text.get(place).unwrap_or_default();
        if encoded_word::may_hold_one(local_part) {
            self.encoded_local_part.get_or_insert(local_part);
        }
        if has_hidden_at_sign(local_part) {
            let error = SyntaxError::new(start, "local-part without a hidden \"@\"");
            self.error.get_or_insert(error);
            self.unread_at_sign = true;
        }
    }
}

enum Member<'t> {
    Mailbox(MailboxDomain<'t>),
    None,
    End,
}

struct Reader<'t> {
    lexer: Lexer<'t>,
    token: Token<'t>,
    /// Octets from the start of the text to `token`.
    start: usize,
    in_group: bool,
    /// Where the last local part stands, in octets from the start of the text.
    local_part: Range<usize>,
}

impl<'t> Reader<'t> {
    fn advance(&mut self) {
        (self.token, self.start) = self.lexer.next();
    }

    fn take(&mut self, special: u8) -> bool {
        let found = self.token == Token::Special(special);
        if found {
            self.advance();
        }
        found
    }

    /// One member of the list, with the separator after it; the beginning and the end of a group are members without a mailbox.
    fn member(&mut self) -> Result<Member<'t>, &'static str> {
        // RFC 5322 §4.4: null members are obsolete and allowed.
        if self.take(b',') {
            return Ok(Member::None);
        }
        if self.token == Token::End {
            if self.in_group {
                self.in_group = false;
                return Err("\";\" at the end of the group");
            }
            return Ok(Member::End);
        }
        if self.in_group && self.take(b';') {
            self.in_group = false;
            return Ok(Member::None);
        }
        // A display name or a local part: which of the two is told by what follows.
        let start = self.start;
        let words = self.words();
        match self.token {
            Token::Special(b'@') if words.is_local_part() => {
                self.local_part = start..self.start;
                self.advance();
                let domain = self.domain()?;
                self.end_of_member(domain)
            }
            Token::Special(b'<') if words.is_phrase() || words.count == 0 && !words.dots => {
                self.advance();
                let domain = self.angle_addr()?;
                self.end_of_member(domain)
            }
            Token::Special(b':') if words.is_phrase() && !self.in_group => {
                self.advance();
                self.in_group = true;
                Ok(Member::None)
            }
            _ => Err("addr-spec"),
        }
    }

    fn end_of_member(&mut self, domain: MailboxDomain<'t>) -> Result<Member<'t>, &'static str> {
        match self.token {
            Token::Special(b',') => self.advance(),
            Token::Special(b';') if self.in_group => {}
            Token::End => {}
            _ => return Err("\",\" or the end"),
        }
        Ok(Member::Mailbox(domain))
    }

    fn words(&mut self) -> Words {
        let mut words = Words { count: 0, dots: false, adjacent: false, misplaced_dot: false };
        let mut after_word = false;
        loop {
            match self.token {
                Token::Atom(_) | Token::QuotedString => {
                    words.adjacent |= after_word;
                    words.count += 1;
                    after_word = true;
                }
                Token::Special(b'.') => {
                    words.misplaced_dot |= !after_word;
                    words.dots = true;
                    after_word = false;
                }
                _ => break,
            }
            self.advance();
        }
        words.misplaced_dot |= words.dots && !after_word;
        words
    }

    /// What stands between `<` and `>`, and the `>`.
    fn angle_addr(&mut self) -> Result<MailboxDomain<'t>, &'static str> {
        // RFC 5322 §4.4: obs-route = obs-domain-list ":"; "the route portion SHOULD be ignored".
        if matches!(self.token, Token::Special(b'@' | b',')) {
            while !self.take(b':') {
                if self.take(b'@') {
                    self.domain()?;
                } else if !self.take(b',') {
                    return Err("obs-route");
                }
            }
        }
        let start = self.start;
        if !self.words().is_local_part() {
            return Err("local-part");
        }
        self.local_part = start..self.start;
        if !self.take(b'@') {
            return Err("\"@\"");
        }
        let domain = self.domain()?;
        if !self.take(b'>') {
            return Err("\">\"");
        }
        Ok(domain)
    }

    /// `domain = dot-atom / domain-literal / obs-domain`, and with one final dot, as the DNS writes it.
    fn domain(&mut self) -> Result<MailboxDomain<'t>, &'static str> {
        if self.token == Token::DomainLiteral {
            // RFC 5321 §4.1.3: what is registered as an address literal is an IP address, and all else is meant to be misread.
            if !is_address_literal(self.lexer.since(self.start)) {
                return Err("address literal");
            }
            self.advance();
            return Ok(MailboxDomain::Literal);
        }
        let text = self.lexer.text();
        let mut name = Name { start: self.start, joined: Cow::Borrowed(b"") };
        while let Token::Atom(atom) = self.token {
            name.push(text, self.start, atom);
            self.advance();
            let dot = self.start;
            if !self.take(b'.') {
                break;
            }
            name.push(text, dot, b".");
        }
        name.into_text().filter(|name| !name.is_empty()).map(MailboxDomain::Name).ok_or("domain")
    }

    /// On to the next comma outside quotes and comments; to the end of the text where a token has no end.
    fn skip_member(&mut self) {
        loop {
            match self.token {
                Token::End => return,
                Token::Special(b',') => return self.advance(),
                Token::Bad => {
                    (self.token, self.start, self.in_group) = (Token::End, self.lexer.pass_over_rest(), false);
                    return;
                }
                Token::Special(b';') if self.in_group => return,
                Token::Atom(_) | Token::QuotedString | Token::DomainLiteral | Token::Special(_) => self.advance(),
            }
        }
    }
}

/// `address-literal` of RFC 5321 §4.1.3, but for the tags that nobody has registered; with the white space of RFC 5322 §3.4.1.
fn is_address_literal(literal: &[u8]) -> bool {
    let address = literal.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).map(<[u8]>::trim_ascii);
    let Some(address) = address.and_then(|address| str::from_utf8(address).ok()) else { return false };
    match address.split_at_checked("IPv6:".len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
        _ => address.parse::<Ipv4Addr>().is_ok(),
    }
}

/// The pieces of a domain.
struct Name<'t> {
    /// Octets from the start of the text to the first piece.
    start: usize,
    /// Borrowed as long as nothing stands between the pieces.
    joined: Cow<'t, [u8]>,
}

impl<'t> Name<'t> {
    /// Adds `piece`, which stands at `at` in `text`.
    fn push(&mut self, text: &'t [u8], at: usize, piece: &[u8]) {
        match &mut self.joined {
            Cow::Borrowed(before) if self.start + before.len() == at => {
                *before = text.get(self.start..at + piece.len()).unwrap_or_default();
            }
            joined => joined.to_mut().extend_from_slice(piece),
        }
    }

    /// `None` where it is no UTF-8.
    fn into_text(self) -> Option<Cow<'t, str>> {
        match self.joined {
            Cow::Borrowed(name) => str::from_utf8(name).ok().map(Cow::Borrowed),
            Cow::Owned(name) => String::from_utf8(name).ok().map(Cow::Owned),
        }
    }
}

/// A run of words and dots.
struct Words {
    count: usize,
    dots: bool,
    /// Two words without a dot between them.
    adjacent: bool,
    /// A dot without a word before or after it.
    misplaced_dot: bool,
}

impl Words {
    /// `obs-local-part = word *("." word)`, of which the other forms are cases.
    fn is_local_part(&self) -> bool {
        self.count > 0 && !self.adjacent && !self.misplaced_dot
    }

    /// `obs-phrase = word *(word / "." / CFWS)`.
    fn is_phrase(&self) -> bool {
        self.count > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Domains, `!` where a part did not follow the grammar, `@` where that part held an at sign.
    fn read(text: &str) -> String {
        let list = mailbox_list(text.as_bytes());
        let domains = list.domains.iter().map(|domain| match domain {
            MailboxDomain::Name(name) => &**name,
            MailboxDomain::Literal => "[]",
        });
        let notes = [list.error.is_some().then_some("!"), list.unread_at_sign.then_some("@")];
        domains.chain(notes.into_iter().flatten()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn well_formed_lists() {
        for (text, expected) in [
            ("a@example.com", "example.com"),
            (" a@example.com\r\n", "example.com"),
            ("A B <a@example.com>", "example.com"),
            ("\"b@example.net\" <a@example.com>", "example.com"),
            ("\"<b@example.net>, \\\"\" <a@example.com>", "example.com"),
            ("\"a\".b@example.com", "example.com"),
            ("a . b @ example . com", "example.com"),
            ("a@(x(y)\\)z)example.com", "example.com"),
            ("A. B. C <a@example.com>", "example.com"),
            ("a@example.com, B <b@example.net>", "example.com example.net"),
            (",, a@example.com, ,", "example.com"),
            ("G: a@example.com, b@example.net;", "example.com example.net"),
            ("G: a@example.com;, b@example.net", "example.com example.net"),
            ("a@[192.0.2.1]", "[]"),
            ("a@[ 192.0.2.1 ], b@[ipv6:2001:db8::1]", "[] []"),
            ("a\u{e4} <a@b\u{fc}cher.example>", "b\u{fc}cher.example"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_noted_and_passed_over() {
        for (text, expected) in [
            ("", ""),
            ("Doe, John <a@example.com>", "example.com !"),
            ("a@example.net <a@example.com>", "! @"),
            ("a@example.net b@example.com", "! @"),
            ("a b@example.com", "! @"),
            ("a@example.com>", "! @"),
            ("<a@example.com", "! @"),
            ("<a@example.com> x", "! @"),
            ("\"a@example.net, b@example.com", "! @"),
            ("(a@example.net, b@example.com", "! @"),
            ("a@example.com, (b", "example.com !"),
            ("a@example.com\r b@example.net", "! @"),
            ("a@example.com\0", "! @"),
            ("a@exa..mple.com", "! @"),
            (".a@example.com", "! @"),
            ("@example.com", "! @"),
            ("a@", "! @"),
            ("<>", "!"),
            ("a@[192.0.2.1", "! @"),
            ("a@[192.0.2.256]", "! @"),
            ("a@[IPv6:192.0.2.1]", "! @"),
            ("a@[2001:db8::1]", "! @"),
            ("a@[example.com]", "! @"),
            ("a@[x:example.com]", "! @"),
            ("a@[192.0.2.1@example.com]", "! @"),
            ("a@[]", "! @"),
            ("G: a@example.com", "example.com !"),
            ("G: H: a@example.com;;", "! @"),
            ("a@example.com; b@example.net", "! @"),
            ("x, a@example.com, y@, b@example.net", "example.com example.net ! @"),
            ("a)b <a@example.com>", "! @"),
            ("<=?utf-8?q?a=40example.com?=>, b@example.net", "example.net ! @"),
            ("<a\u{ff20}example.com>, b@example.net", "example.net ! @"),
            ("\u{2039}a\u{ff20}example.com>, b@example.net", "example.net ! @"),
            ("=?utf-8?q?Doe?=, J <b@example.net>", "example.net !"),
            ("=?utf-8?q?Doe?= <>", "!"),
            ("=?utf-8?q?a=40example.com?=, J <b@example.net>", "example.net ! @"),
            ("=?utf-8?q?a=40example.com?=@example.net", "example.net ! @"),
            ("A <\"=?utf-8?q?a=40example.com?=\"@example.net>", "example.net ! @"),
            ("A <a\u{ff20}example.com@example.net>", "example.net ! @"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn encoded_words_in_local_parts_are_noted() {
        for (text, expected) in [
            ("=?utf-8?q?a?= <a@example.com>", None),
            ("\"=?utf-8?q?a?=\" <a@example.com>", None),
            ("a@example.com (=?utf-8?q?a?=)", None),
            ("=?utf-8?q?a?=@example.com", Some("=?utf-8?q?a?=")),
            ("A <\"=?utf-8?q?b?=\"@example.com>", Some("\"=?utf-8?q?b?=\"")),
            ("a@example.com, <@example.net:b.=?utf-8?q?a?=@example.com>", Some("b.=?utf-8?q?a?=")),
        ] {
            let list = mailbox_list(text.as_bytes());
            assert_eq!(list.encoded_local_part, expected.map(str::as_bytes), "{text}");
            assert_eq!((list.error, list.unread_at_sign), (None, false), "{text}");
        }
    }

    #[test]
    fn nesting_costs_no_stack_and_no_square_of_time() {
        let deep = format!("{}{} a@example.com", "(".repeat(500_000), ")".repeat(500_000));
        assert_eq!(read(&deep), "example.com");
        assert_eq!(read(&"(".repeat(500_000)), "!");
        assert_eq!(read(&"<,\"".repeat(200_000)), "!");
        assert_eq!(mailbox_list("a@b,".repeat(200_000).as_bytes()).domains.len(), 200_000);
    }
}

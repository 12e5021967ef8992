//! The Received-SPF field (RFC 7208 §9.1).

use crate::{
    lex::{
        Printable,
        quoted::{is_dot_atom, push_escaped},
    },
    session::Session,
    spf::{Identity, NeutralReason, SpfReport, SpfResult},
};
use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

/// The name of the field.
pub const FIELD_NAME: &str = "Received-SPF";

/// Columns of a line, without its end (RFC 5322 §2.1.1: should be no more than 78; words that are longer stay whole).
const MAX_COLUMNS: usize = 78;
/// Characters of a value and of a reason; more is cut off, and shows that it was. Keeps every line below the 998 octets of
/// RFC 5322 §2.1.1, and the field below 4608, whatever the client sent.
const MAX_VALUE_LEN: usize = 320;

/// A Received-SPF field for one identity, written from its report. Nothing that the client or a domain owner wrote can end the
/// field or stand in it unquoted, nor make it longer than 4608 octets.
///
/// `Display` gives the value as it stands after `Received-SPF: `, folded, without the line end after it.
///
/// ```
/// use mailverdict::{Authenticator, Session, dns::Zone, received_spf::ReceivedSpf, spf::Observers};
/// use std::{net::Ipv4Addr, pin::pin, task::{Context, Poll, Waker}};
///
/// let zone = Zone::parse(r#"contoso.com. 3600 IN TXT "v=spf1 ip4:192.0.2.0/24 -all""#, "zone.db").unwrap();
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1))
///     .with_helo("mail.contoso.com")
///     .with_mail_from("a@contoso.com")
///     .with_receiver("mx.example.org");
/// let authenticator = Authenticator::new(zone);
/// let mut observers = Observers { helo: (), mail_from: () };
/// // A zone in memory has every answer at the first poll.
/// let Poll::Ready(reports) = pin!(authenticator.check_spf(&session, &mut observers))
///     .poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
/// let report = reports.mail_from.unwrap();
/// assert_eq!(ReceivedSpf::new(&report, &session).to_header_field(), "\
/// Received-SPF: pass (mx.example.org: 192.0.2.1 is allowed by ip4:192.0.2.0/24\r
///  of contoso.com) client-ip=192.0.2.1; envelope-from=\"a@contoso.com\";\r
///  helo=mail.contoso.com; identity=mailfrom; mechanism=\"ip4:192.0.2.0/24\";\r
///  receiver=mx.example.org\r
/// ");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReceivedSpf<'r> {
    report: &'r SpfReport,
    session: &'r Session,
}

impl<'r> ReceivedSpf<'r> {
    /// The field for a report that was made for this session.
    pub fn new(report: &'r SpfReport, session: &'r Session) -> Self {
        Self { report, session }
    }

    /// The whole field, from its name to the CRLF at its end.
    pub fn to_header_field(&self) -> String {
        let mut field = self.write();
        field.push_str("\r\n");
        field
    }

    /// The field without the line end after it.
    fn write(&self) -> String {
        let Self { report, session } = self;
        let mut field = Folded::new();
        field.word(report.result.keyword());
        let reason = displayed(report);
        let reason = shortened(&reason);
        let mut text = String::with_capacity(reason.len() + 128);
        text.push('(');
        if let Some(receiver) = &session.receiver {
            push_escaped(&mut text, &shortened(receiver), b"()\\");
            text.push_str(": ");
        }
        push_escaped(&mut text, &reason, b"()\\");
        text.push(')');
        field.words(&text);
        text.clear();
        let mut pairs = Pairs { field, text, pair: Pair::Word };
        pairs.add("client-ip", &displayed(&report.ip));
        match report.identity {
            Identity::MailFrom => pairs.add("envelope-from", &report.sender),
            Identity::Helo => {}
        }
        session.helo.iter().for_each(|helo| pairs.add("helo", helo));
        pairs.add("identity", report.identity.keyword());
        match &report.result {
            SpfResult::Pass(matched)
            | SpfResult::Fail(matched, _)
            | SpfResult::SoftFail(matched)
            | SpfResult::Neutral(NeutralReason::Matched(matched)) => {
                pairs.add("mechanism", &displayed(&matched.directive().mechanism));
            }
            SpfResult::Neutral(NeutralReason::NoMatch { .. }) => pairs.add("mechanism", "default"),
            SpfResult::TempError(_) | SpfResult::PermError(_) => pairs.add_words("problem", &reason),
            SpfResult::None(_) => {}
        }
        session.receiver.iter().for_each(|receiver| pairs.add("receiver", receiver));
        pairs.finish()
    }
}

impl fmt::Display for ReceivedSpf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.write();
        f.write_str(field.get(START.len()..).unwrap_or_default())
    }
}

/// What stands before the first word.
const START: &str = "Received-SPF: ";

/// A field that is being written, word by word.
#[derive(Debug)]
struct Folded {
    text: String,
    /// Columns of the last line.
    column: usize,
}

impl Folded {
    fn new() -> Self {
        let mut text = String::with_capacity(512);
        text.push_str(START);
        Self { text, column: START.len() }
    }

    /// A word, on a new line where it does not fit.
    fn word(&mut self, word: &str) {
        let is_first = self.text.len() == START.len();
        if !is_first && self.column + 1 + word.len() > MAX_COLUMNS {
            self.text.push_str("\r\n ");
            self.column = 1;
        } else if !is_first {
            self.text.push(' ');
            self.column += 1;
        }
        self.text.push_str(word);
        self.column += word.len();
    }

    fn words(&mut self, text: &str) {
        text.split_ascii_whitespace().for_each(|word| self.word(word));
    }
}

/// Keys and their values, the last one of which is held back: a semicolon follows if another one does.
#[derive(Debug)]
struct Pairs {
    field: Folded,
    /// The last pair; nothing before the first.
    text: String,
    pair: Pair,
}

/// Whether a pair may be broken between lines.
#[derive(Clone, Copy, Debug)]
enum Pair {
    Word,
    Words,
}

impl Pairs {
    fn add(&mut self, key: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push(';');
            self.put();
        }
        self.text.push_str(key);
        self.text.push('=');
        push_value(&mut self.text, &shortened(value));
        self.pair = Pair::Word;
    }

    /// A value that may be long and is made of words.
    fn add_words(&mut self, key: &str, value: &str) {
        self.add(key, value);
        self.pair = Pair::Words;
    }

    fn put(&mut self) {
        match self.pair {
            Pair::Word => self.field.word(&self.text),
            Pair::Words => self.field.words(&self.text),
        }
        self.text.clear();
    }

    fn finish(mut self) -> String {
        self.put();
        self.field.text
    }
}

/// What is displayed, in a text that need not grow for what is common.
fn displayed(value: &impl fmt::Display) -> String {
    let mut text = String::with_capacity(256);
    // To write to memory never fails.
    let _ = write!(text, "{value}");
    text
}

/// Printable ASCII, no longer than is reasonable.
fn shortened(text: &str) -> Cow<'_, str> {
    // A reason in words is printable already, and needs no second escape.
    let is_printable = text.bytes().fold(true, |all, octet| all & matches!(octet, b' '..=b'~'));
    let printable = if is_printable { Cow::Borrowed(text) } else { Cow::Owned(Printable(text).to_string()) };
    // All of it is ASCII.
    match printable.get(..MAX_VALUE_LEN).filter(|_| printable.len() > MAX_VALUE_LEN) {
        Some(start) => Cow::Owned(format!("{start}...")),
        None => printable,
    }
}

/// Adds printable ASCII as `dot-atom / quoted-string` (RFC 5322 §3.2.3, §3.2.4).
fn push_value(to: &mut String, text: &str) {
    if is_dot_atom(text) {
        return to.push_str(text);
    }
    to.push('"');
    push_escaped(to, text, b"\"\\");
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        name::Name,
        spf::{Explanation, Matched, NoneReason, PermError, Record},
    };
    use std::net::Ipv4Addr;

    fn session() -> Session {
        Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_helo("mail.example.com")
    }

    fn report(result: SpfResult) -> SpfReport {
        SpfReport {
            identity: Identity::MailFrom,
            ip: Ipv4Addr::new(192, 0, 2, 1).into(),
            sender: "a@example.com".into(),
            domain: Err("example.com".len()),
            result,
            dns_lookups: 0,
            void_lookups: 0,
        }
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn fail() -> SpfResult {
        let record: Record = "v=spf1 -exists:%{l}.example.com".parse().unwrap();
        SpfResult::Fail(Matched::new(name("example.com"), record, 0).unwrap(), Explanation::Default)
    }

    /// Reads the field as RFC 5322 does: folds undone, then comment, quoted strings and what is left.
    fn read(field: &str) -> (String, Vec<String>) {
        let (value, end) = field.split_at(field.len() - 2);
        assert_eq!(end, "\r\n");
        for line in value.split("\r\n") {
            assert!(line.len() <= 998 && line.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{line:?}");
        }
        assert!(value.split("\r\n").skip(1).all(|line| line.starts_with(' ') && line.trim() != ""), "{value:?}");
        let (mut comment, mut depth, mut quoted, mut pairs) = (String::new(), 0, false, vec![String::new()]);
        let mut chars = value.replace("\r\n", "").strip_prefix("Received-SPF: ").unwrap().to_owned();
        chars.push(';');
        let mut chars = chars.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' if depth > 0 => comment.push(chars.next().unwrap()),
                '\\' if quoted => pairs.last_mut().unwrap().push(chars.next().unwrap()),
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ if depth > 0 => comment.push(c),
                '"' => quoted = !quoted,
                ';' if !quoted => pairs.push(String::new()),
                _ => pairs.last_mut().unwrap().push(c),
            }
        }
        assert!(depth == 0 && !quoted, "{field}");
        let pairs = pairs.iter().map(|pair| pair.trim().to_owned()).filter(|pair| !pair.is_empty());
        (comment, pairs.collect())
    }

    #[test]
    fn keys_tell_what_was_checked() {
        let field = ReceivedSpf::new(&report(fail()), &session()).to_header_field();
        let (comment, pairs) = read(&field);
        assert_eq!(comment, "192.0.2.1 is not allowed by -exists:%{l}.example.com of example.com");
        assert_eq!(
            pairs,
            [
                "fail  client-ip=192.0.2.1",
                "envelope-from=a@example.com",
                "helo=mail.example.com",
                "identity=mailfrom",
                "mechanism=exists:%{l}.example.com",
            ]
        );
    }

    #[test]
    fn an_error_is_a_problem_and_no_mechanism() {
        let error = PermError::ManyRecords { domain: name("example.com"), count: 2 };
        let report = SpfReport { identity: Identity::Helo, ..report(SpfResult::PermError(error)) };
        let (_, pairs) = read(&ReceivedSpf::new(&report, &session()).to_header_field());
        assert_eq!(pairs.last().unwrap(), "problem=example.com has 2 SPF records; one is allowed");
        assert!(!pairs.iter().any(|pair| pair.starts_with("envelope-from") || pair.starts_with("mechanism")));
    }

    #[test]
    fn where_nothing_matched_the_mechanism_is_default() {
        let result = SpfResult::Neutral(NeutralReason::NoMatch { domain: name("example.com") });
        let (_, pairs) = read(&ReceivedSpf::new(&report(result), &session()).to_header_field());
        assert!(pairs.contains(&"mechanism=default".to_owned()), "{pairs:?}");
    }

    #[test]
    fn hostile_identities_stay_in_their_quotes() {
        for hostile in ["x\r\nX-Evil: 1", "\";result=pass (", "a\\", ")(", "ä\u{202e}", "", "a;b=c", "\u{1b}[2J"] {
            let sender = format!("{hostile}@example.com").into();
            let report = SpfReport { sender, ..report(fail()) };
            let session = session().with_helo(hostile).with_receiver(hostile);
            let (_, pairs) = read(&ReceivedSpf::new(&report, &session).to_header_field());
            assert_eq!(pairs.len(), 6, "{hostile:?}: {pairs:?}");
            assert!(pairs[1].starts_with("envelope-from="), "{pairs:?}");
        }
    }

    /// A backslash is one character of a value, and two wherever it is written.
    #[test]
    fn no_field_is_longer_than_4608_octets() {
        let long = "\\".repeat(5000);
        let session = session().with_helo(&long).with_receiver(&long);
        let (domain, target, reason) = (name("example.com"), "example.net".into(), NoneReason::NoRecord);
        let error = PermError::NoRecordAtTarget { domain, term: long.as_str().into(), target, reason };
        let ip = std::net::Ipv6Addr::from_bits(u128::MAX).into();
        let report = SpfReport { sender: long.as_str().into(), ip, ..report(SpfResult::PermError(error)) };
        let field = ReceivedSpf::new(&report, &session).to_header_field();
        read(&field);
        assert!((4000..=4608).contains(&field.len()), "{} octets", field.len());
    }

    #[test]
    fn overlong_identities_are_cut() {
        let long = "é".repeat(5000);
        let session = session().with_helo(&long).with_receiver(&"x y ".repeat(3000));
        let report = SpfReport { sender: "a".repeat(70_000).into(), ..report(fail()) };
        read(&ReceivedSpf::new(&report, &session).to_header_field());
    }
}

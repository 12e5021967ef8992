//! The Received-SPF field (RFC 7208 §9.1).

use crate::{
    lex::Printable,
    session::Session,
    spf::{Identity, NeutralReason, SpfReport, SpfResult},
};
use std::fmt;

/// The name of the field.
pub const FIELD_NAME: &str = "Received-SPF";

/// Columns of a line, without its end (RFC 5322 §2.1.1: should be no more than 78; words that are longer stay whole).
const MAX_COLUMNS: usize = 78;
/// Characters of a value and of a reason; more is cut off, and shows that it was. Keeps every line below the 998 octets of
/// RFC 5322 §2.1.1, whatever the client sent.
const MAX_VALUE_LEN: usize = 320;

/// A Received-SPF field for one identity, written from its report. Nothing that the client or a domain owner wrote can end the
/// field or stand in it unquoted.
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
        format!("{FIELD_NAME}: {self}\r\n")
    }

    /// The words of the field; lines may be broken between any two.
    fn words(&self) -> Vec<String> {
        let Self { report, session } = self;
        let reason = shortened(&report.to_string());
        let mut words = vec![report.result.keyword().to_owned()];
        let receiver = session.receiver.as_deref().map(|receiver| format!("{}: ", shortened(receiver)));
        words.extend(broken(&format!("({})", escaped(&(receiver.unwrap_or_default() + &reason), "()\\"))));
        let mut pairs = vec![("client-ip", value(&report.ip.to_string()))];
        match report.identity {
            Identity::MailFrom => pairs.push(("envelope-from", value(&report.sender))),
            Identity::Helo => {}
        }
        pairs.extend(session.helo.iter().map(|helo| ("helo", value(helo))));
        pairs.push(("identity", value(report.identity.keyword())));
        match &report.result {
            SpfResult::Pass(matched)
            | SpfResult::Fail(matched, _)
            | SpfResult::SoftFail(matched)
            | SpfResult::Neutral(NeutralReason::Matched(matched)) => {
                pairs.push(("mechanism", value(&matched.directive().mechanism.to_string())));
            }
            SpfResult::Neutral(NeutralReason::NoMatch { .. }) => pairs.push(("mechanism", value("default"))),
            SpfResult::TempError(_) | SpfResult::PermError(_) => pairs.push(("problem", value(&reason))),
            SpfResult::None(_) => {}
        }
        pairs.extend(session.receiver.iter().map(|receiver| ("receiver", value(receiver))));
        let last = pairs.len() - 1;
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            let pair = format!("{key}={value}{}", if index < last { ";" } else { "" });
            // The one value that may be long is made of words.
            if key == "problem" { words.extend(broken(&pair)) } else { words.push(pair) }
        }
        words
    }
}

impl fmt::Display for ReceivedSpf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut column = FIELD_NAME.len() + 1;
        for (index, word) in self.words().into_iter().enumerate() {
            if index > 0 && column + 1 + word.len() > MAX_COLUMNS {
                f.write_str("\r\n ")?;
                column = 1;
            } else if index > 0 {
                f.write_str(" ")?;
                column += 1;
            }
            f.write_str(&word)?;
            column += word.len() + usize::from(index == 0);
        }
        Ok(())
    }
}

/// Printable ASCII, no longer than is reasonable.
fn shortened(text: &str) -> String {
    // A reason in words is printable already, and needs no second escape.
    let is_printable = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    let printable = if is_printable { text.to_owned() } else { Printable(text).to_string() };
    match printable.char_indices().nth(MAX_VALUE_LEN) {
        Some((end, _)) => format!("{}...", printable.get(..end).unwrap_or_default()),
        None => printable,
    }
}

/// With a backslash before each of `special` (`quoted-pair` of RFC 5322 §3.2.1).
fn escaped(text: &str, special: &str) -> String {
    let escape = |c| if special.contains(c) { Some('\\') } else { None };
    text.chars().flat_map(|c| escape(c).into_iter().chain([c])).collect()
}

/// `dot-atom / quoted-string` of RFC 5322 §3.2.3, §3.2.4.
fn value(text: &str) -> String {
    let text = shortened(text);
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)) {
        text
    } else {
        format!("\"{}\"", escaped(&text, "\"\\"))
    }
}

/// The words of a text.
fn broken(text: &str) -> impl Iterator<Item = String> {
    text.split_ascii_whitespace().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        name::Name,
        spf::{Explanation, Matched, PermError, Record},
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
            domain_len: "example.com".len(),
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

    #[test]
    fn overlong_identities_are_cut() {
        let long = "é".repeat(5000);
        let session = session().with_helo(&long).with_receiver(&"x y ".repeat(3000));
        let report = SpfReport { sender: "a".repeat(70_000).into(), ..report(fail()) };
        read(&ReceivedSpf::new(&report, &session).to_header_field());
    }
}

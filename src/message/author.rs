//! The author domains of a message, read from its From fields.

use super::{
    FromText, Header, Malformation, Oddity,
    distinct::Distinct,
    from_error::{DOMAIN, FromError},
    possible_domains::{MAX_DOMAIN_TEXT, PossibleDomains, sole_domain},
};
use crate::{
    lex::{
        Printable, SyntaxError,
        mailbox::{MailboxDomain, MailboxList, mailbox_list},
    },
    name::Domain,
};
use smallvec::SmallVec;

/// Octets of an odd local part that an oddity quotes.
const MAX_QUOTED: usize = 100;

/// Author domains that an oddity names.
const MAX_NAMED: usize = 4;

/// The domains that the From fields of a message name as those of its authors (RFC 9989 §3.2.2, §5.3.1).
///
/// A mailbox list is read by the grammar of RFC 5322 §3.4 and §4.4, with groups (RFC 6854) and UTF-8 (RFC 6532). Several mailboxes
/// of one domain are one author domain. Display names, comments and encoded words are never addresses.
///
/// A part that does not follow the grammar is passed over where it holds no `@` (as in `Doe, John <john@example.com>`, which names
/// one domain, however it is read). Where it does hold one, other readers may see an address there that the grammar does not
/// allow. If plainly the same domain stands behind every `@` of such a field (as in `john@example.com <john@example.com>`), that is
/// the author domain. Otherwise every domain that stands behind an `@` is a [possible](Self::possible) one, so that a malformed
/// field never fares better than a well-formed one. Where none stands there plainly, what readers may come to is possible who stop at an
/// odd octet, begin behind one, or leave out whatever is odd; where nothing can be read, the field is
/// [incomplete](Self::is_incomplete). The fullwidth and the small `@` count as well, and encoded words are decoded.
///
/// A local part that holds an encoded word follows the grammar and breaks RFC 2047 §5, which is an oddity. If decoding it gives an `@`, it
/// is read as a malformed part is.
///
/// ```
/// use mailverdict::message::Header;
/// let header = Header::parse(b"From: \"ceo@example.com\" <a@example.net> (b@example.org)\r\n\r\n")?;
/// let authors = header.authors();
/// assert_eq!(authors.domains().len(), 1);
/// assert_eq!(authors.domains()[0].as_str(), "example.net");
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Authors {
    domains: Domains,
    possible: Domains,
    from_fields: usize,
    error: Option<Box<FromError>>,
    ambiguous: bool,
    disputed: Option<Box<Malformation>>,
    incomplete: bool,
    encoded_local_part: Option<Box<str>>,
    /// The first From field, where it names another number of domains than one.
    value: Option<Box<FromText>>,
}

/// Domains, of which most messages have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Domains(SmallVec<[Domain; 1]>);

#[cfg(feature = "serde")]
impl serde::Serialize for Domains {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl Authors {
    /// Reads the From fields of a header.
    pub(super) fn read(header: &Header<'_>) -> Self {
        let mut authors = Self::default();
        let mut domains = Distinct::default();
        let mut possible = PossibleDomains::default();
        authors.from_fields = header.named("From").count();
        authors.disputed = header.disputed_from().cloned().map(Box::new);
        authors.ambiguous = authors.disputed.is_some();
        let readings = header.readings("From");
        // A reading ends with the octets at which some readers end the line.
        let readings = readings.iter().map(|reading| (reading.field, without_controls_at_end(reading.field.value())));
        for (field, value) in header.named("From").map(|field| (field, field.value())).chain(readings) {
            let before = field.raw().len() - field.value().len();
            let MailboxList { domains: mailbox_domains, error, unread_at_sign, encoded_local_part } =
                mailbox_list(value);
            let mut unreadable_domain = None;
            for domain in mailbox_domains {
                // An address literal is an address without a domain.
                let MailboxDomain::Name(text) = domain else { continue };
                match Some(&text).filter(|text| text.len() <= MAX_DOMAIN_TEXT).and_then(|text| Domain::parse(text).ok())
                {
                    Some(domain) => domains.add(domain),
                    None => unreadable_domain = unreadable_domain.or(Some(text)),
                }
            }
            if let Some(text) = &unreadable_domain {
                // A domain with white space or comments within stands nowhere as it is read: then it is the whole value.
                let error = SyntaxError::new(memchr::memmem::rfind(value, text.as_bytes()).unwrap_or(0), DOMAIN);
                authors.error.get_or_insert_with(|| Box::new(FromError::of(error, value, before)));
            }
            if let Some(error) = error {
                authors.error.get_or_insert_with(|| Box::new(FromError::of(error, value, before)));
            }
            if let Some(local_part) = encoded_local_part {
                authors.encoded_local_part.get_or_insert_with(|| quoted(local_part));
            }
            if unread_at_sign || unreadable_domain.is_some() {
                if let Some(domain) = sole_domain(value) {
                    domains.add(domain);
                    continue;
                }
                authors.ambiguous = true;
                possible.read(value);
            }
        }
        authors.incomplete = possible.is_incomplete;
        let mut possible = possible.domains.domains;
        possible.retain(|domain| !domains.contains(domain));
        authors.domains = Domains(domains.domains);
        authors.possible = Domains(possible);
        if authors.domains.0.len() + authors.possible.0.len() != 1 {
            let first = header.named("From").next();
            let value = first.map(|field| FromText::of(field.value(), field.raw().len() - field.value().len()));
            authors.value = value.map(Box::new);
        }
        authors
    }

    /// The distinct domains of the mailboxes that follow the grammar, and those of malformed fields with but one domain, in their
    /// order. DMARC expects exactly one.
    pub fn domains(&self) -> &[Domain] {
        &self.domains.0
    }

    /// Other domains that some reader may find behind an `@` in an [ambiguous](Self::is_ambiguous) From field, in their order.
    pub fn possible(&self) -> &[Domain] {
        &self.possible.0
    }

    /// How many From fields there are; RFC 5322 §3.6 demands one.
    pub fn from_fields(&self) -> usize {
        self.from_fields
    }

    /// What is wrong with the first From field that does not follow the grammar.
    pub fn error(&self) -> Option<&FromError> {
        self.error.as_deref()
    }

    /// Whether a From field, or the header, is malformed in such a way that readers may disagree on its addresses.
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// What makes the header malformed, where readers may see other From fields than those of the header: one that some end the header
    /// above, or one that only some find in the text of another field. The domains of all of them are here, and DMARC never passes.
    pub fn disputed(&self) -> Option<&Malformation> {
        self.disputed.as_deref()
    }

    /// Whether an [ambiguous](Self::is_ambiguous) From field has an `@` behind which no domain can be read, so that it may name any
    /// domain at all. DMARC takes the message for one that has to be rejected.
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// What is odd about the From fields.
    pub fn oddities(&self) -> Vec<Oddity> {
        let mut oddities = Vec::new();
        if self.from_fields > 1 {
            oddities.push(Oddity::ManyFromFields { count: self.from_fields });
        }
        if self.disputed.is_some() {
            oddities.push(Oddity::DisputedFrom);
        }
        if let Some(error) = &self.error {
            oddities.push(Oddity::MalformedFrom { error: error.clone() });
        }
        match self.domains.0.len() + self.possible.0.len() {
            0 => oddities.push(Oddity::NoAuthorDomain { value: self.value.clone() }),
            1 => {}
            count => {
                let domains = self.domains.0.iter().chain(&self.possible.0).take(MAX_NAMED).cloned().collect();
                oddities.push(Oddity::ManyAuthorDomains { count, domains, value: self.value.clone() });
            }
        }
        if let Some(local_part) = &self.encoded_local_part {
            oddities.push(Oddity::EncodedLocalPart { local_part: local_part.clone() });
        }
        oddities
    }
}

/// The beginning of an odd text, made fit to be shown.
fn quoted(text: &[u8]) -> Box<str> {
    let beginning = text.get(..MAX_QUOTED).unwrap_or(text);
    Printable(&String::from_utf8_lossy(beginning)).to_string().into()
}

fn without_controls_at_end(text: &[u8]) -> &[u8] {
    let last = text.iter().rposition(|octet| !octet.is_ascii_control());
    last.and_then(|last| text.get(..=last)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Authors {
        Header::parse(header.as_bytes()).unwrap().authors()
    }

    fn texts(domains: &[Domain]) -> Vec<&str> {
        domains.iter().map(Domain::as_str).collect()
    }

    #[test]
    fn mailboxes_of_one_domain_are_one_author_domain() {
        let authors = read("From: a@Example.COM, b@example.com., G: c@example.com;\r\n");
        assert_eq!(texts(authors.domains()), ["example.com"]);
        assert_eq!(authors.oddities(), []);
    }

    #[test]
    fn many_domains_are_told_apart_as_few_are() {
        for count in [1, 8, 9, 10, 300] {
            let domains: Vec<String> = (0..count).map(|number| format!("d{number}.example")).collect();
            let mailboxes: Vec<String> = domains.iter().chain(&domains).map(|domain| format!("a@{domain}")).collect();
            let authors = read(&format!("From: {}\r\n", mailboxes.join(", ")));
            assert_eq!(texts(authors.domains()), domains);
            let authors = read(&format!("From: {}, b@x.example <b@y.example>\r\n", mailboxes.join(", ")));
            assert_eq!((authors.domains().len(), texts(authors.possible())), (count, vec!["x.example", "y.example"]));
        }
    }

    #[test]
    fn u_labels_become_a_labels() {
        assert_eq!(texts(read("From: a@b\u{fc}cher.example\r\n").domains()), ["xn--bcher-kva.example"]);
    }

    #[test]
    fn white_space_before_the_colon_hides_no_field() {
        let authors = read("From: a@example.com\r\nfrom : b@example.net\r\n");
        assert_eq!(texts(authors.domains()), ["example.com", "example.net"]);
        let domains = authors.domains().into();
        let value = Some(Box::new(FromText::of(b" a@example.com", 5)));
        let many = Oddity::ManyAuthorDomains { count: 2, domains, value };
        assert_eq!(authors.oddities(), [Oddity::ManyFromFields { count: 2 }, Oddity::DisputedFrom, many]);
    }

    #[test]
    fn without_an_at_sign_a_malformed_part_is_harmless() {
        let authors = read("From: Doe, John <john@example.com>\r\n");
        assert_eq!(texts(authors.domains()), ["example.com"]);
        assert!(!authors.is_ambiguous());
        assert!(matches!(authors.oddities()[..], [Oddity::MalformedFrom { .. }]));
    }

    #[test]
    fn every_domain_of_an_ambiguous_field_is_a_possible_one() {
        let authors = read("From: a@example.com <b@example.net>, \"c@example.org\" <d@example.edu>\r\n");
        assert!(authors.is_ambiguous());
        assert_eq!(texts(authors.domains()), ["example.edu"]);
        assert_eq!(texts(authors.possible()), ["example.com", "example.net", "example.org"]);
        assert!(matches!(
            authors.oddities()[..],
            [Oddity::MalformedFrom { .. }, Oddity::ManyAuthorDomains { count: 4, .. }]
        ));
    }

    #[test]
    fn a_malformed_field_with_plainly_one_domain_is_not_ambiguous() {
        for from in [
            "a@example.com <a@example.com>",
            "'a@example.com' <b@Example.COM>",
            "\"a@example.com\" b@example.com <b@example.com>",
            "A [B] <a@example.com>",
            "<a@example.com",
            "a@example.com>",
            "a@example.com; b@example.com",
            "A (B <a@example.com>",
            "\"A <a@example.com>",
        ] {
            let authors = read(&format!("From: {from}\r\n"));
            assert_eq!((texts(authors.domains()), texts(authors.possible())), (vec!["example.com"], vec![]), "{from}");
            assert!(!authors.is_ambiguous(), "{from}");
            assert!(matches!(authors.oddities()[..], [Oddity::MalformedFrom { .. }]), "{from}");
        }
    }

    #[test]
    fn a_malformed_field_whose_domain_may_be_read_otherwise_is_ambiguous() {
        for from in [
            "a@example.com <a@example.net>",
            "a@example.com <a@mail.example.com>",
            "(c@example.net) a@example.com <a@example.com>",
            "a@example.com .example.net <a@example.com>",
            "a@example.com\r\n .example.net <a@example.com>",
            "a@example.com. example.net <a@example.com>",
            "a@example.com (x) . example.net <a@example.com>",
            "a@example.com(x).example.net <a@example.com>",
            "a@example.com\\.example.net <a@example.com>",
            "a@example.com'.example.net <a@example.com>",
            "a@example.com%example.net <a@example.com>",
            "a@ example.com <a@example.com>",
            "a@(x)example.net <a@example.com>",
            "a@\"example.net\" <a@example.com>",
            "a@[example.net] <a@example.com>",
            "a@.example.com <a@example.com>",
            "a@example..com <a@example.com>",
            "a@example.com <b\u{ff20}example.net>",
            "a@example.com <=?utf-8?q?b=40example.net?=>",
            "a@example.com <a@>",
        ] {
            let authors = read(&format!("From: {from}\r\n"));
            assert!(authors.is_ambiguous(), "{from}");
        }
    }

    #[test]
    fn a_field_of_at_signs_costs_no_square_of_time() {
        let many = format!("From: <{}\r\n", "a@b ".repeat(50_000));
        assert_eq!(texts(read(&many).domains()), ["b"]);
        let far = format!("From: <{}\r\n", format!("@b{}", " ".repeat(500)).repeat(500));
        assert_eq!(texts(read(&far).domains()), ["b"]);
    }

    #[test]
    fn what_names_no_domain() {
        for from in ["", "From:\r\n", "From: G:;\r\n", "From: a@[192.0.2.1]\r\n", "From: =?utf-8?q?a?=\r\n"] {
            let authors = read(&format!("Subject: x\r\n{from}"));
            assert_eq!(authors.domains(), [], "{from}");
            assert!(matches!(authors.oddities().last(), Some(Oddity::NoAuthorDomain { .. })), "{from}");
            assert!(!authors.is_ambiguous() && !authors.is_incomplete(), "{from}");
        }
    }

    #[test]
    fn octets_that_are_no_utf_8_make_no_domain() {
        let header = Header::parse(b"From: J\xf6rg <a@example.com>\r\n").unwrap();
        assert_eq!(texts(header.authors().domains()), ["example.com"]);
        let header = Header::parse(b"From: a@ex\xe4mple.com\r\n").unwrap();
        assert_eq!(header.authors().domains(), []);
        assert!(header.authors().is_ambiguous());
        // Read as ISO 8859-1, cut there, and without it.
        let expected = ["xn--exmple-cua.com", "ex", "exmple.com", "mple.com"];
        assert_eq!(texts(header.authors().possible()), expected);
    }

    #[test]
    fn an_encoded_word_as_a_local_part_is_a_finding_and_ambiguous_where_it_holds_an_at_sign() {
        let authors = read("From: =?utf-8?q?ceo?=@example.com\r\n");
        assert_eq!((texts(authors.domains()), authors.error()), (vec!["example.com"], None));
        assert_eq!(authors.oddities(), [Oddity::EncodedLocalPart { local_part: "=?utf-8?q?ceo?=".into() }]);
        for from in [
            "=?utf-8?q?ceo=40victim.test?=@evil.test",
            "A <=?utf-8?b?Y2VvQHZpY3RpbS50ZXN0?=@evil.test>",
            "A <\"=?utf-8?q?ceo=40victim.test=3E?=\"@evil.test>",
            "A <\"=\\?x?q?ceo=\\40victim.test?=\"@evil.test>",
            "A <@victim.test:=?utf-7?q?ceo+AEA-victim.test?=@evil.test>",
        ] {
            let authors = read(&format!("From: {from}\r\n"));
            assert!(authors.is_ambiguous(), "{from}");
            assert!(texts(authors.possible()).contains(&"victim.test"), "{from}: {authors:?}");
            assert_eq!(texts(authors.domains()), ["evil.test"], "{from}");
            assert!(matches!(authors.oddities().last(), Some(Oddity::EncodedLocalPart { .. })), "{from}");
        }
        let long = read(&format!("From: =?x?q?{}?=@example.com\r\n", "\u{e9}".repeat(500)));
        assert!(long.oddities().last().unwrap().to_string().len() < 800);
    }
}

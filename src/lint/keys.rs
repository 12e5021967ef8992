//! The keys of selectors that are known: what they are, and what is wrong with them.

use super::{
    context::{Context, offset},
    gather::NOBODY,
    report::KeyPublished,
    scope::KeyName,
};
use crate::{
    crypto::{numbers, small_factor},
    dkim::{KeyRecord, keys::ReadRecords},
    dns::{Answer, AnyAnswer, RecordType},
    finding::{Finding, RecordText, Rule, Severity, forbids_subdomains, of_key_entry, of_name, quoted},
    known::Entry,
    lex::{Span, printable, tag_list::Tags},
    name::{Name, shown},
};

/// Tags of one record that are looked at.
const MAX_TAGS: usize = 32;

/// A key, and what it is.
struct Found<'l> {
    key: &'l KeyName,
    record: Option<KeyRecord>,
}

/// What is published, and the findings about it.
pub(super) fn look(context: &Context<'_>) -> (Vec<KeyPublished>, Vec<Finding>) {
    let mut published = Vec::new();
    let mut findings = Vec::new();
    let mut keys: Vec<Found<'_>> = Vec::new();
    for key in context.scope.keys() {
        let Some(entry) = context.entry(key.name(), RecordType::Txt) else { continue };
        let mut found = of_key_entry(entry, context.log, key.is_used());
        let record = match entry.texts() {
            [text] => KeyRecord::parse(text).ok().inspect(|record| {
                found.extend(OfKey { key, text: RecordText { name: key.name(), text }, record }.findings());
            }),
            _ => None,
        };
        if !context.is_own(key.domain()) {
            found.retain(|finding| finding.severity != Severity::Notice);
        }
        found.sort_by_key(offset);
        findings.extend(found);
        published.push(told(key, entry, record.as_ref()));
        keys.push(Found { key, record });
    }
    findings.extend(shared(&keys));
    findings.extend(ed25519_only(context, &keys));
    findings.extend(wildcard(context));
    findings.extend(historic(context));
    (published, findings)
}

fn told(key: &KeyName, entry: &Entry, record: Option<&KeyRecord>) -> KeyPublished {
    let bits = || {
        let Some(Ok(AnyAnswer::Txt(Answer::Records(texts)))) = entry.answer() else { return None };
        let read = ReadRecords::kept(texts);
        let bits = read.each().first()?.seen_key(record?)?.ok()?.bits();
        Some(bits)
    };
    KeyPublished {
        selector: printable(key.selector().as_bytes()),
        name: key.name().clone(),
        aliases: entry.aliases().to_vec(),
        record: match entry.texts() {
            [text] => Some(printable(text)),
            _ => None,
        },
        key_type: record.map(|record| record.key_type.clone()),
        bits: bits(),
    }
}

struct OfKey<'a, 't> {
    key: &'a KeyName,
    text: RecordText<'t>,
    record: &'a KeyRecord,
}

impl OfKey<'_, '_> {
    fn findings(&self) -> Vec<Finding> {
        let mut found: Vec<Finding> = [self.version(), self.strict(), self.weak()].into_iter().flatten().collect();
        found.extend(self.unknown());
        found
    }

    fn tag(&self, name: &str) -> Option<Span> {
        self.record.span_of(name).map(|tag| tag.whole())
    }

    /// RFC 6376 §3.6.1, v=: RECOMMENDED.
    fn version(&self) -> Option<Finding> {
        let says =
            format!("the key record of {} has no v=, which others may take for something else", shown(self.text.name));
        let finding = || self.text.finding(Rule::DkimNoV, None, &says, "Let it begin with \"v=DKIM1;\".");
        self.tag("v").is_none().then(finding)
    }

    /// RFC 6376 §3.6.1, t=s.
    fn strict(&self) -> Option<Finding> {
        let tag = self.tag("t").filter(|_| self.record.strict_identity)?;
        Some(forbids_subdomains(&self.text, tag, self.key.subdomain_identity()))
    }

    /// Keys that anybody can sign with, or with luck, which are told apart by trial: for each message that would be too dear.
    fn weak(&self) -> Option<Finding> {
        if &*self.record.key_type != "rsa" {
            return None;
        }
        let numbers = numbers(&self.record.key)?;
        if let Some(factor) = small_factor(&numbers.modulus) {
            let says = format!("the modulus of the key in p= is divided by {factor}: anybody can sign with it");
            return Some(self.text.finding(Rule::DkimBadKey, self.tag("p"), &says, "Sign with a new key."));
        }
        // RFC 8017 §3.1 allows them; what signs badly with 3 can be forged.
        if numbers.exponent < 65_537 {
            let says = format!("the key in p= has the exponent {}, where 65537 is usual and safe", numbers.exponent);
            let finding = self.text.finding(Rule::DkimBadKey, self.tag("p"), &says, "Sign with a new key.");
            return Some(Finding { severity: Severity::Notice, ..finding });
        }
        None
    }

    /// RFC 6376 §3.6.1: "Unrecognized tags MUST be ignored."
    fn unknown(&self) -> Vec<Finding> {
        const KNOWN: [&[u8]; 7] = [b"v", b"k", b"p", b"t", b"s", b"h", b"n"];
        let (tags, _) = Tags::read_until_error(self.text.text);
        let unknown = tags.iter().filter(|tag| !KNOWN.contains(&tag.name)).take(MAX_TAGS);
        let finding = |tag: crate::lex::tag_list::Tag<'_>| {
            let span = tag.span()?.whole();
            let why = match tag.name {
                b"g" => "belongs to an old edition of DKIM, and means nothing any more",
                b"c" | b"q" | b"a" | b"d" | b"i" | b"l" => "belongs to a signature, and means nothing in a key record",
                _ => "is a tag that nobody knows",
            };
            let says = format!("{} {why}: it is passed over", quoted(self.text.at(Some(span))));
            Some(self.text.finding(Rule::DkimUnknownTag, Some(span), &says, "Take it out."))
        };
        unknown.filter_map(finding).collect()
    }
}

/// One key at several names.
fn shared(keys: &[Found<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, one) in keys.iter().enumerate() {
        let Some(record) = one.record.as_ref().filter(|record| !record.is_revoked()) else { continue };
        let is_same = |other: &&Found<'_>| other.record.as_ref().is_some_and(|other| other.key == record.key);
        if let Some(first) = keys.get(..place).unwrap_or_default().iter().find(is_same) {
            let says = format!(
                "{} has the key that stands at {} as well: when one is revoked, the other is lost with it",
                shown(one.key.name()),
                shown(first.key.name())
            );
            found.push(of_name(one.key.name(), Rule::DkimSharedModulus, &says, "Make a key for each selector."));
        }
    }
    found
}

/// RFC 8463 §6 has signers sign with RSA as well, because not all verifiers know Ed25519.
fn ed25519_only(context: &Context<'_>, keys: &[Found<'_>]) -> Option<Finding> {
    let mut types = keys.iter().filter_map(|found| found.record.as_ref()).map(|record| &*record.key_type);
    let first = types.next()?;
    if first != "ed25519" || types.any(|other| other != "ed25519") {
        return None;
    }
    let says = "all keys that are known are of Ed25519, by which several large receivers do not verify";
    Some(of_name(context.domain(), Rule::DkimEd25519Only, says, "Sign with a key of RSA as well."))
}

/// A text at every selector.
fn wildcard(context: &Context<'_>) -> Option<Finding> {
    let (name, texts) = context.texts_below(&format!("{NOBODY}._domainkey"))?;
    let text = texts.first()?;
    // One that says that all keys are revoked is good practice for domains without mail.
    if KeyRecord::parse(text).is_ok_and(|record| record.is_revoked()) {
        return None;
    }
    let says = format!(
        "{} stands at every selector, such as {}: who looks for a key finds it where none was published",
        quoted(text),
        shown(&name)
    );
    Some(of_name(context.domain(), Rule::DkimWildcard, &says, "Publish texts at the names that need them alone."))
}

/// RFC 5617, and DomainKeys (RFC 4870), which nobody evaluates any more.
fn historic(context: &Context<'_>) -> Vec<Finding> {
    let begins =
        |text: &[u8], start: &[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    let policies: [(&str, &[u8], &str); 2] =
        [("_adsp._domainkey", b"dkim=", "ADSP"), ("_domainkey", b"o=", "DomainKeys")];
    let of = |(labels, start, what): (&str, &[u8], &str)| {
        let (name, texts) = context.texts_below(labels)?;
        // A record at every name is none of these.
        let text = texts.iter().find(|text| begins(text, start) || what == "DomainKeys" && begins(text, b"t=y"))?;
        Some(finding(&name, text, what))
    };
    policies.into_iter().filter_map(of).collect()
}

fn finding(name: &Name, text: &[u8], what: &str) -> Finding {
    let text = RecordText { name, text };
    let says = format!("{} is a record of {what}, which nobody evaluates any more", quoted(text.text));
    text.finding(Rule::DkimAdsp, Span::new(0, text.text.len()), &says, "Take it out.")
}

//! The results of a verdict as Authentication-Results has them, with the properties that are registered for each method (RFC 8601
//! §6.3 and its successors).

use crate::{
    arc::{ArcReport, ArcResult},
    authentication_results::{AuthenticationResults, MethodResult, Property},
    dkim::{DkimResult, SignatureReport},
    dmarc::DmarcReport,
    name::Name,
    spf::SpfReport,
    text::Text,
    verdict::Verdict,
};
use std::fmt;

/// RFC 5322 §2.1.1 allows no line of more than 998 characters, and a word cannot be folded: longer values are left out.
const MAX_VALUE_LEN: usize = 320;

/// Reasons are for people, who read no more than this.
const MAX_REASON_LEN: usize = 240;

impl AuthenticationResults {
    /// The field that reports `verdict`, written by the service `authserv_id` (RFC 8601 §2.5: a name of the receiver's own).
    ///
    /// What stands in it is printable ASCII, even where the message had other characters.
    ///
    /// ```
    /// # async fn example<R: mailverdict::dns::Resolver>(
    /// #     authenticator: &mailverdict::Authenticator<R>, message: &mailverdict::Message<'_>, peer: std::net::IpAddr,
    /// # ) {
    /// use mailverdict::authentication_results::AuthenticationResults;
    /// let verdict = authenticator.authenticate(message, peer).await;
    /// let field = AuthenticationResults::new("mx.example.org", &verdict).with_remote_ip(peer);
    /// print!("{}", field.to_header_field());
    /// # }
    /// ```
    pub fn new(authserv_id: &str, verdict: &Verdict) -> Self {
        let mut field = Self::none(authserv_id);
        field.results.reserve_exact(verdict.dkim.len().max(1) + 4);
        let Verdict { spf, dkim, arc, dmarc, .. } = verdict;
        field.results.extend(spf.mail_from.iter().map(|report| of_spf(report, "mailfrom")));
        field.results.extend(spf.helo.iter().map(|report| of_spf(report, "helo")));
        field.results.extend(of_dkim(dkim));
        field.results.push(of_arc(arc));
        field.results.push(MethodResult::from(&**dmarc));
        field
    }
}

impl MethodResult {
    /// Adds a property whose value comes from a message.
    fn evaluated(mut self, ptype: &'static str, property: &'static str, value: Option<Text>) -> Self {
        if let Some(value) = value.map(printable).filter(|value| !value.is_empty() && value.len() <= MAX_VALUE_LEN) {
            self.properties.push(Property::new(ptype, property, value));
        }
        self
    }

    /// Adds the reason, unless it says no more than the result does.
    fn explained(self, words: &impl fmt::Display) -> Self {
        let words = printable(Text::of(words));
        if words.is_empty() || *words == *self.result {
            return self;
        }
        match words.char_indices().nth(MAX_REASON_LEN) {
            Some((end, _)) => self.with_reason(format!("{}...", words.get(..end).unwrap_or_default())),
            None => self.with_reason(words),
        }
    }

    /// The same with room for so many properties.
    fn with_room(mut self, properties: usize) -> Self {
        self.properties.reserve_exact(properties);
        self
    }
}

/// RFC 8601 §4: only the identity that gave the result is named; §2.7.2: without its local part, which SPF did not authenticate.
fn of_spf(report: &SpfReport, identity: &'static str) -> MethodResult {
    let result = MethodResult::new("spf", report.result.keyword()).with_room(1).explained(report);
    result.evaluated("smtp", identity, Some(report.domain.clone().into()))
}

fn of_dkim(reports: &[SignatureReport]) -> impl Iterator<Item = MethodResult> {
    let none = || reports.is_empty().then(|| MethodResult::new("dkim", "none").with_comment("message not signed"));
    let of = |(report, data): (&SignatureReport, Text)| {
        let SignatureReport { signature, key, .. } = report;
        let mut result = MethodResult::new("dkim", report.result.keyword()).with_room(5);
        if let (DkimResult::Pass, Some(bits)) = (&report.result, key.as_ref().and_then(|key| key.bits)) {
            result.comments.push(format!("{bits}-bit key").into());
        }
        if report.result != DkimResult::Pass {
            result = result.explained(&report.result);
        }
        result
            .evaluated("header", "d", signature.domain.clone().map(text_of))
            .evaluated("header", "i", signature.identity.clone())
            .evaluated("header", "s", signature.selector.clone().map(text_of))
            .evaluated("header", "a", signature.algorithm.clone())
            .evaluated("header", "b", Some(data))
    };
    reports.iter().zip(distinct_prefixes(reports)).map(of).chain(none())
}

fn text_of(name: impl Into<Name>) -> Text {
    name.into().into_text().into()
}

/// RFC 6008 §4: at least eight characters of `b=`, and as many as tell the signatures of the message apart.
fn distinct_prefixes(reports: &[SignatureReport]) -> impl Iterator<Item = Text> {
    let data = || reports.iter().map(|report| &report.signature.signature_data);
    // One signature has none to be told apart from.
    let mut sorted: Vec<&str> = if reports.len() > 1 { data().map(|text| &**text).collect() } else { Vec::new() };
    sorted.sort_unstable();
    sorted.dedup();
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let needed = move |text: &str| {
        let at = sorted.partition_point(|other| *other < text);
        let before = at.checked_sub(1).and_then(|before| sorted.get(before)).map_or(0, |other| shared(other, text));
        let after = sorted.get(at + 1).map_or(0, |other| shared(other, text));
        (before.max(after) + 1).max(8)
    };
    data().map(move |text| text.beginning(needed(text)))
}

fn of_arc(report: &ArcReport) -> MethodResult {
    let result = MethodResult::new("arc", report.result.keyword());
    match &report.result {
        ArcResult::None => result,
        ArcResult::Pass { oldest_pass, .. } => {
            let sealers: Vec<&str> = report.sealers.iter().map(|domain| domain.as_str()).collect();
            result.with_comment(&format!("sealed by {}", sealers.join(", "))).with_property(
                "header",
                "oldest-pass",
                Text::of(oldest_pass),
            )
        }
        ArcResult::Fail(reason) => result.explained(reason),
    }
}

/// DMARC's result, with the domain of the From field and the policy that was evaluated (RFC 9989 §9.1).
impl From<&DmarcReport> for MethodResult {
    fn from(report: &DmarcReport) -> Self {
        let mut result = Self::new("dmarc", report.result.keyword()).with_room(2);
        if let Some(policy) = report.policy {
            result.comments.push(format!("p={} dis={}", policy.keyword(), report.disposition.keyword()).into());
        }
        if result.result.as_ref() != "pass" {
            result = result.explained(&report.result);
        }
        let has_policy = report.policy.is_some();
        result.evaluated("header", "from", report.author_domain.clone().map(text_of)).evaluated(
            "policy",
            "dmarc",
            has_policy.then(|| report.disposition.keyword().into()),
        )
    }
}

/// The text with all but printable ASCII escaped.
fn printable(text: Text) -> Text {
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return text;
    }
    let mut printed = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ' '..='~') { printed.push(c) } else { printed.extend(c.escape_default()) }
    }
    printed.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dkim::{FailReason, SignatureSummary},
        dmarc::{Edition, PermReason},
        name::{Domain, NameError},
        spf::{Identity, NoneReason, SpfReports, SpfResult},
    };
    use std::sync::Arc;

    fn signature(data: &str, result: DkimResult) -> SignatureReport {
        let domain = Domain::parse("example.com").unwrap();
        let signature = SignatureSummary {
            identity: Some(format!("@{domain}").into()),
            domain: Some(domain),
            signature_data: data.into(),
            ..SignatureSummary::default()
        };
        SignatureReport {
            field_index: 0,
            signature,
            result,
            key: None,
            body_hash: None,
            header_hash: None,
            unsigned_octets: 0,
        }
    }

    fn verdict() -> Verdict {
        let arc =
            ArcReport { result: ArcResult::None, instances: 0, sealers: Vec::new(), sets: Vec::new(), trusted: None };
        let spf = SpfReports { helo: None, mail_from: None };
        Verdict::new(spf, Vec::new(), arc, Arc::new(DmarcReport::without_author(Edition::Rfc9989, PermReason::NoFrom)))
    }

    fn written(verdict: &Verdict) -> String {
        AuthenticationResults::new("mx.example.org", verdict).to_string()
    }

    #[test]
    fn an_unsigned_message_without_a_session_has_no_spf() {
        let field = written(&verdict());
        let lines: Vec<&str> = field.split("\r\n").collect();
        let dmarc = "    dmarc=permerror reason=\"the message has no From field\"";
        assert_eq!(lines, ["mx.example.org;", "    dkim=none (message not signed);", "    arc=none;", dmarc]);
    }

    #[test]
    fn signatures_that_begin_alike_are_told_apart() {
        let data = ["abcdefghij", "abcdefghik", "abcd", "zzzzzzzzzzzz", "abcdefghij"];
        let reports: Vec<_> = data.iter().map(|data| signature(data, DkimResult::Pass)).collect();
        let expected = ["abcdefghij", "abcdefghik", "abcd", "zzzzzzzz", "abcdefghij"];
        assert!(distinct_prefixes(&reports).map(|text| text.to_string()).eq(expected));
    }

    #[test]
    fn what_the_message_says_stays_in_its_quotes() {
        let mut hostile = signature("AbCd/+==", DkimResult::Fail(FailReason::InvalidSignature));
        hostile.signature.identity = Some("x\"; spf=pass\r\nX-Evil: 1@example.com".into());
        let verdict = Verdict { dkim: vec![hostile], ..verdict() };
        let field = written(&verdict);
        assert!(field.contains(r#"header.i="x\"; spf=pass\\r\\nX-Evil: 1"@example.com"#), "{field}");
        assert!(field.contains(r#"header.b="AbCd/+==""#), "{field}");
    }

    #[test]
    fn identities_of_a_client_without_manners_are_escaped_or_left_out() {
        let report = |domain: &str| SpfReport {
            identity: Identity::Helo,
            ip: std::net::Ipv4Addr::new(192, 0, 2, 1).into(),
            domain: domain.into(),
            sender: "".into(),
            result: SpfResult::None(NoneReason::NotAName(NameError::NotLdh)),
            dns_lookups: 0,
            void_lookups: 0,
        };
        let spf = SpfReports { helo: Some(report("a\r\nb")), mail_from: Some(report(&"x".repeat(321))) };
        let field = written(&Verdict { spf, ..verdict() });
        assert!(field.contains(r#"smtp.helo="a\\r\\nb""#), "{field}");
        assert!(!field.contains("smtp.mailfrom"), "{field}");
    }
}

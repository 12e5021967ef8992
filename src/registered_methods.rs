//! The results of a verdict as Authentication-Results has them, with the properties that are registered for each method (RFC 8601
//! §6.3 and its successors).

use crate::{
    arc::{ArcReport, ArcResult},
    authentication_results::{AuthenticationResults, Describe, FieldWriter, MethodResult, Results},
    dkim::{DkimResult, SignatureReport},
    dmarc::{Disposition, DmarcReport, DmarcResult},
    name::Domain,
    spf::SpfReport,
    verdict::Verdict,
};
use std::{
    fmt::{self, Write},
    net::IpAddr,
};

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
        Registered::new(&mut field.results).verdict(verdict);
        field
    }
}

impl Verdict {
    /// The Authentication-Results field that reports this verdict, from its name to the CRLF at its end: what
    /// [`AuthenticationResults::new`] and [`to_header_field`](AuthenticationResults::to_header_field) give one after the other, and
    /// quicker than both.
    ///
    /// ```
    /// # use mailverdict::{Authenticator, Message, dns::Zone};
    /// # use std::net::IpAddr;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (zone, peer): (_, IpAddr) = (Zone::default(), "192.0.2.66".parse()?);
    /// let message = Message::parse(b"From: Alice <alice@contoso.com>\r\n\r\nHello\r\n")?;
    /// let verdict = Authenticator::new(zone).authenticate(&message, peer).await;
    /// let field = verdict.to_header_field("mx.example.org");
    /// assert!(field.starts_with("Authentication-Results: mx.example.org;\r\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_header_field(&self, authserv_id: &str) -> String {
        self.field(authserv_id, None)
    }

    /// The same field with the address of the client in the result of ARC, as `smtp.remote-ip` (RFC 8617 §6): what
    /// [`AuthenticationResults::with_remote_ip`] gives.
    pub fn to_header_field_with_remote_ip(&self, authserv_id: &str, peer_ip: IpAddr) -> String {
        self.field(authserv_id, Some(peer_ip))
    }

    fn field(&self, authserv_id: &str, remote_ip: Option<IpAddr>) -> String {
        let mut field = FieldWriter::new(authserv_id);
        Registered { remote_ip, ..Registered::new(&mut field) }.verdict(self);
        field.finish()
    }
}

/// DMARC's result, with the domain of the From field and the policy that was evaluated (RFC 9989 §9.1).
impl From<&DmarcReport> for MethodResult {
    fn from(report: &DmarcReport) -> Self {
        let mut result = Self::new("dmarc", report.result.keyword());
        describe_dmarc(&mut result, report, &mut String::new());
        result
    }
}

/// What tells the results of a verdict to `to`.
struct Registered<'t, R> {
    to: &'t mut R,
    /// The address of the client, for the result of ARC.
    remote_ip: Option<IpAddr>,
    /// One buffer for what is put in words.
    words: String,
}

impl<'t, R: Results> Registered<'t, R> {
    fn new(to: &'t mut R) -> Self {
        Self { to, remote_ip: None, words: String::with_capacity(256) }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let Verdict { spf, dkim, arc, dmarc, .. } = verdict;
        spf.mail_from.iter().for_each(|report| self.spf(report, "smtp.mailfrom="));
        spf.helo.iter().for_each(|report| self.spf(report, "smtp.helo="));
        self.dkim(dkim);
        self.arc(arc);
        self.to.result("dmarc", dmarc.result.keyword(), |to| describe_dmarc(to, dmarc, &mut self.words));
    }

    /// RFC 8601 §4: only the identity that gave the result is named; §2.7.2: without its local part, which SPF did not authenticate.
    fn spf(&mut self, report: &SpfReport, key: &'static str) {
        let keyword = report.result.keyword();
        self.to.result("spf", keyword, |to| {
            explained(to, keyword, report, &mut self.words);
            evaluated(to, key, Some(report.domain()));
        });
    }

    fn dkim(&mut self, reports: &[SignatureReport]) {
        if reports.is_empty() {
            self.to.result("dkim", "none", |to| to.comment("message not signed"));
        }
        for (report, data) in reports.iter().zip(distinct_prefixes(reports)) {
            let SignatureReport { signature, key, result, .. } = report;
            let keyword = result.keyword();
            self.to.result("dkim", keyword, |to| {
                if *result != DkimResult::Pass {
                    explained(to, keyword, result, &mut self.words);
                } else if let Some(bits) = key.as_ref().and_then(|key| key.bits) {
                    to.comment(in_words(&format_args!("{bits}-bit key"), &mut self.words));
                }
                evaluated(to, "header.d=", signature.domain.as_ref().map(Domain::as_str));
                evaluated(to, "header.i=", signature.identity.as_deref());
                evaluated(to, "header.s=", signature.selector.as_ref().map(|selector| selector.as_str()));
                evaluated(to, "header.a=", signature.algorithm.as_deref());
                evaluated(to, "header.b=", Some(data));
            });
        }
    }

    fn arc(&mut self, report: &ArcReport) {
        let keyword = report.result.keyword();
        self.to.result("arc", keyword, |to| {
            match &report.result {
                ArcResult::None => {}
                ArcResult::Pass { oldest_pass, .. } => {
                    let sealers: Vec<&str> = report.sealers.iter().map(|domain| domain.as_str()).collect();
                    to.comment(in_words(&format_args!("sealed by {}", sealers.join(", ")), &mut self.words));
                    to.property("header.oldest-pass=", in_words(oldest_pass, &mut self.words));
                }
                ArcResult::Fail(reason) => explained(to, keyword, reason, &mut self.words),
            }
            if let Some(ip) = self.remote_ip {
                to.property("smtp.remote-ip=", in_words(&ip, &mut self.words));
            }
        });
    }
}

fn describe_dmarc(to: &mut impl Describe, report: &DmarcReport, words: &mut String) {
    let keyword = report.result.keyword();
    // Also where it does not come of a published policy: what was cut off in the evaluation is asked to be refused.
    let is_known = report.policy.is_some() || report.disposition != Disposition::None;
    let disposition = is_known.then(|| report.disposition.keyword());
    if let (Some(policy), Some(disposition)) = (report.policy, disposition) {
        to.comment(in_words(&format_args!("p={} dis={disposition}", policy.keyword()), words));
    }
    if !matches!(report.result, DmarcResult::Pass(_)) {
        explained(to, keyword, &report.result, words);
    }
    evaluated(to, "header.from=", report.author_domain.as_ref().map(Domain::as_str));
    evaluated(to, "policy.dmarc=", disposition);
}

/// What `text` displays.
fn in_words<'w>(text: &impl fmt::Display, words: &'w mut String) -> &'w str {
    words.clear();
    // To write to memory never fails.
    let _ = write!(words, "{text}");
    words
}

/// Adds a property whose value comes from a message.
fn evaluated(to: &mut impl Describe, key: &'static str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        to.property(key, value);
    }
}

/// Adds the reason, unless it says no more than the result does.
fn explained(to: &mut impl Describe, result: &str, reason: &impl fmt::Display, words: &mut String) {
    let reason = in_words(reason, words);
    if !reason.is_empty() && reason != result {
        to.reason(reason);
    }
}

/// RFC 6008 §4: at least eight characters of `b=`, and as many as tell the signatures of the message apart.
fn distinct_prefixes(reports: &[SignatureReport]) -> impl Iterator<Item = &str> {
    let data = || reports.iter().map(|report| &*report.signature.signature_data);
    // One signature has none to be told apart from.
    let mut sorted: Vec<&str> = if reports.len() > 1 { data().collect() } else { Vec::new() };
    sorted.sort_unstable();
    sorted.dedup();
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let needed = move |text: &str| {
        let at = sorted.partition_point(|other| *other < text);
        let before = at.checked_sub(1).and_then(|before| sorted.get(before)).map_or(0, |other| shared(other, text));
        let after = sorted.get(at + 1).map_or(0, |other| shared(other, text));
        (before.max(after) + 1).max(8)
    };
    // All of it where it is shorter, or a character would be cut in two.
    data().map(move |text| text.get(..needed(text)).unwrap_or(text))
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
            not_covered: crate::message::SingularFields::default(),
        }
    }

    fn verdict() -> Verdict {
        let arc =
            ArcReport { result: ArcResult::None, instances: 0, sealers: Vec::new(), sets: Vec::new(), trusted: None };
        let spf = SpfReports { helo: None, mail_from: None };
        Verdict::new(spf, Vec::new(), arc, Arc::new(DmarcReport::without_author(Edition::Rfc9989, PermReason::NoFrom)))
    }

    fn written(verdict: &Verdict) -> String {
        let field = AuthenticationResults::new("mx.example.org", verdict);
        assert_eq!(field.to_header_field(), verdict.to_header_field("mx.example.org"));
        for (ip, shown) in [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "\"2001:db8::1\"")] {
            let ip = ip.parse().unwrap();
            let with_ip = field.clone().with_remote_ip(ip).to_header_field();
            assert_eq!(with_ip, verdict.to_header_field_with_remote_ip("mx.example.org", ip));
            assert!(with_ip.contains(&format!("smtp.remote-ip={shown}")), "{with_ip}");
        }
        field.to_string()
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
            sender: domain.into(),
            domain_len: domain.len(),
            result: SpfResult::None(NoneReason::NotAName(NameError::NotLdh)),
            dns_lookups: 0,
            void_lookups: 0,
        };
        let spf =
            SpfReports { helo: Some(Arc::new(report("a\r\nb"))), mail_from: Some(Arc::new(report(&"x".repeat(321)))) };
        let field = written(&Verdict { spf, ..verdict() });
        assert!(field.contains(r#"smtp.helo="a\\r\\nb""#), "{field}");
        assert!(!field.contains("smtp.mailfrom"), "{field}");
    }
}

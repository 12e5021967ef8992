//! The results of a verdict as Authentication-Results has them, with the properties that are registered for each method (RFC 8601
//! §6.3 and its successors).

mod extent;

use self::extent::{Chosen, Extent, Part, parts};
use crate::{
    arc::{ArcReport, ArcResult},
    authentication_results::{
        AuthenticationResults, Describe, FieldWriter, MAX_OCTETS, MAX_REASON_LEN, MethodResult, Results, shown_reason,
    },
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
    /// What stands in it is printable ASCII, even where the message had other characters. DMARC's result comes first, then those of
    /// SPF, of ARC and of DKIM. Written, it has no more than [`MAX_OCTETS`], as [`within`](Self::within) says.
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
        Self::within(authserv_id, verdict, MAX_OCTETS)
    }

    /// The field that reports `verdict`, in no more than `max_octets` from its name to the CRLF at its end, with an address added by
    /// [`with_remote_ip`](Self::with_remote_ip) or not; never less than 1024 beyond the authserv-id, which is the receiver's own.
    ///
    /// Of the signatures of DKIM, those that were verified have results, and as many of the others as make ten. Where the field is too
    /// long, reasons are shortened, and then results left out: first those of DKIM, signatures that pass and that can align with the
    /// author domain last, then those of ARC and of SPF, and DMARC's never. A comment in the last result counts what was left out; no
    /// result stands for it (RFC 8601 §2.7.1 has none for signatures that nobody looked at), so that whoever takes the first or the
    /// last result of DKIM takes that of a signature.
    ///
    /// ```
    /// # use mailverdict::{Authenticator, Message, authentication_results::AuthenticationResults, dns::Zone};
    /// # use std::net::IpAddr;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (zone, peer): (_, IpAddr) = (Zone::default(), "192.0.2.66".parse()?);
    /// let bogus = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com\r\n".repeat(1000);
    /// let raw = format!("{bogus}From: Alice <alice@contoso.com>\r\n\r\nHello\r\n");
    /// let verdict = Authenticator::new(zone).authenticate(&Message::parse(raw.as_bytes())?, peer).await;
    /// let field = AuthenticationResults::within("mx.example.org", &verdict, 4096);
    /// assert!(field.to_header_field().len() <= 4096);
    /// let (dmarc, dkim) = (&field.results[0], &field.results[field.results.len() - 1]);
    /// assert_eq!((&*dmarc.method, &*dkim.method, &*dkim.result), ("dmarc", "dkim", "permerror"));
    /// assert_eq!(&*dkim.comments[0], "left out: 990 dkim permerror");
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(authserv_id: &str, verdict: &Verdict, max_octets: usize) -> Self {
        let extent = Extent::fitting(verdict, authserv_id, max_octets);
        let mut field = Self::none(authserv_id);
        field.results.reserve_exact(extent.count(verdict));
        Registered::new(&mut field.results, verdict, &extent).write();
        field
    }
}

impl Verdict {
    /// The Authentication-Results field that reports this verdict, from its name to the CRLF at its end: what
    /// [`AuthenticationResults::new`] and [`to_header_field`](AuthenticationResults::to_header_field) give one after the other, and
    /// quicker than both.
    ///
    /// It has no more than [`MAX_OCTETS`], whatever strangers wrote; [`AuthenticationResults::within`] says what is left out then.
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
    /// assert!(field.starts_with("Authentication-Results: mx.example.org;\r\n    dmarc="));
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_header_field(&self, authserv_id: &str) -> String {
        self.to_header_field_within(authserv_id, None, MAX_OCTETS)
    }

    /// The same field with the address of the client in the result of ARC, as `smtp.remote-ip` (RFC 8617 §6): what
    /// [`AuthenticationResults::with_remote_ip`] gives.
    pub fn to_header_field_with_remote_ip(&self, authserv_id: &str, peer_ip: IpAddr) -> String {
        self.to_header_field_within(authserv_id, Some(peer_ip), MAX_OCTETS)
    }

    /// The same field, with the address of the client where one is given, in no more than `max_octets`: what
    /// [`AuthenticationResults::within`] gives, which says what is left out then.
    pub fn to_header_field_within(&self, authserv_id: &str, remote_ip: Option<IpAddr>, max_octets: usize) -> String {
        let extent = Extent::by_number(self);
        let field = written(self, authserv_id, remote_ip, &extent).finish();
        if field.len() <= extent::room(max_octets) {
            return field;
        }
        written(self, authserv_id, remote_ip, &Extent::fitting(self, authserv_id, max_octets)).finish()
    }
}

/// So much of the field as `extent` says.
fn written(verdict: &Verdict, authserv_id: &str, remote_ip: Option<IpAddr>, extent: &Extent<'_>) -> FieldWriter {
    let mut field = FieldWriter::new(authserv_id);
    Registered { remote_ip, ..Registered::new(&mut field, verdict, extent) }.write();
    field
}

/// DMARC's result, with the domain of the From field and the policy that was evaluated (RFC 9989 §9.1).
impl From<&DmarcReport> for MethodResult {
    fn from(report: &DmarcReport) -> Self {
        let mut result = Self::new("dmarc", report.result.keyword());
        Words::default().dmarc(&mut result, report, "");
        result
    }
}

/// What tells the results of a verdict to `to`.
struct Registered<'t, 'v, R> {
    to: &'t mut R,
    verdict: &'v Verdict,
    extent: &'t Extent<'v>,
    /// The address of the client, for the result of ARC.
    remote_ip: Option<IpAddr>,
    words: Words,
    prefixes: Prefixes<'v>,
}

impl<'t, 'v, R: Results> Registered<'t, 'v, R> {
    fn new(to: &'t mut R, verdict: &'v Verdict, extent: &'t Extent<'v>) -> Self {
        let words = Words { text: String::with_capacity(256), max_reason: extent.max_reason };
        Self { to, verdict, extent, remote_ip: None, words, prefixes: Prefixes::of(&verdict.dkim) }
    }

    fn write(&mut self) {
        match &self.extent.chosen {
            None => parts(self.verdict).for_each(|part| self.part(part, "")),
            Some(Chosen { parts, left_out }) => {
                let Some((last, others)) = parts.split_last() else { return };
                others.iter().for_each(|part| self.part(*part, ""));
                self.part(*last, left_out);
            }
        }
    }

    /// One result, and a comment that is empty or says what was left out.
    fn part(&mut self, part: Part<'v>, note: &str) {
        let Self { to, words, remote_ip, prefixes, .. } = self;
        to.result(part.method(), part.result(), |to| match part {
            Part::Dmarc(report) => words.dmarc(to, report, note),
            Part::Spf(report, key) => words.spf(to, report, key, note),
            Part::Arc(report) => words.arc(to, report, *remote_ip, note),
            Part::Unsigned => {
                to.comment("message not signed");
                noted(to, note);
            }
            Part::Signature(report) => words.dkim(to, report, prefixes.distinct(report), note),
        });
    }
}

/// What is said of results.
#[derive(Debug)]
struct Words {
    /// One buffer for what is put in words.
    text: String,
    /// Characters of a reason, and of the comment that names sealers.
    max_reason: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self { text: String::new(), max_reason: MAX_REASON_LEN }
    }
}

impl Words {
    fn dmarc(&mut self, to: &mut impl Describe, report: &DmarcReport, note: &str) {
        // Also where it does not come of a published policy: what was cut off in the evaluation is asked to be refused.
        let is_known = report.policy.is_some() || report.disposition != Disposition::None;
        let disposition = is_known.then(|| report.disposition.keyword());
        if let (Some(policy), Some(disposition)) = (report.policy, disposition) {
            to.comment(in_words(&format_args!("p={} dis={disposition}", policy.keyword()), &mut self.text));
        }
        noted(to, note);
        if !matches!(report.result, DmarcResult::Pass(_)) {
            self.reason(to, report.result.keyword(), &report.result);
        }
        evaluated(to, "header.from=", report.author_domain.as_ref().map(Domain::as_str));
        evaluated(to, "policy.dmarc=", disposition);
    }

    /// RFC 8601 §4: only the identity that gave the result is named; §2.7.2: without its local part, which SPF did not authenticate.
    fn spf(&mut self, to: &mut impl Describe, report: &SpfReport, key: &'static str, note: &str) {
        noted(to, note);
        self.reason(to, report.result.keyword(), report);
        evaluated(to, key, Some(report.domain()));
    }

    fn arc(&mut self, to: &mut impl Describe, report: &ArcReport, remote_ip: Option<IpAddr>, note: &str) {
        match &report.result {
            ArcResult::None => noted(to, note),
            ArcResult::Pass { oldest_pass, .. } => {
                let sealers = Sealers { domains: &report.sealers, max_len: self.max_reason };
                to.comment(in_words(&sealers, &mut self.text));
                noted(to, note);
                to.property("header.oldest-pass=", in_words(oldest_pass, &mut self.text));
            }
            ArcResult::Fail(reason) => {
                noted(to, note);
                self.reason(to, report.result.keyword(), reason);
            }
        }
        if let Some(ip) = remote_ip {
            to.property("smtp.remote-ip=", in_words(&ip, &mut self.text));
        }
    }

    /// `data` is the start of `b=` that tells the signature from others.
    fn dkim(&mut self, to: &mut impl Describe, report: &SignatureReport, data: &str, note: &str) {
        let SignatureReport { signature, key, result, .. } = report;
        let bits = key.as_ref().and_then(|key| key.bits).filter(|_| *result == DkimResult::Pass);
        if let Some(bits) = bits {
            to.comment(in_words(&format_args!("{bits}-bit key"), &mut self.text));
        }
        noted(to, note);
        if *result != DkimResult::Pass {
            self.reason(to, result.keyword(), result);
        }
        evaluated(to, "header.d=", signature.domain.as_ref().map(Domain::as_str));
        evaluated(to, "header.i=", signature.identity.as_deref());
        evaluated(to, "header.s=", signature.selector.as_ref().map(|selector| selector.as_str()));
        evaluated(to, "header.a=", signature.algorithm.as_deref());
        evaluated(to, "header.b=", Some(data));
    }

    /// Adds the reason, unless it says no more than the result does.
    fn reason(&mut self, to: &mut impl Describe, result: &str, reason: &impl fmt::Display) {
        let reason = in_words(reason, &mut self.text);
        if !reason.is_empty() && reason != result {
            to.reason(&shown_reason(reason, self.max_reason));
        }
    }
}

/// The domains that sealed a chain, from the oldest on; the first one, and as many more as there is room for.
struct Sealers<'r> {
    domains: &'r [Domain],
    /// Characters of the names.
    max_len: usize,
}

impl fmt::Display for Sealers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sealed by ")?;
        let mut len = 0;
        for (number, domain) in self.domains.iter().enumerate() {
            let domain = domain.as_str();
            len += domain.len() + 2;
            match number {
                0 => f.write_str(domain)?,
                _ if len > self.max_len => return write!(f, " and {} more", self.domains.len() - number),
                _ => write!(f, ", {domain}")?,
            }
        }
        Ok(())
    }
}

/// Adds the comment, unless it says nothing.
fn noted(to: &mut impl Describe, note: &str) {
    if !note.is_empty() {
        to.comment(note);
    }
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

/// RFC 6008 §4: at least eight characters of `b=`, and as many as tell the signatures of the message apart.
struct Prefixes<'t> {
    /// What stands in `b=` of the signatures, each once.
    sorted: Vec<&'t str>,
}

impl<'t> Prefixes<'t> {
    fn of(reports: &'t [SignatureReport]) -> Self {
        let data = || reports.iter().map(|report| &*report.signature.signature_data);
        // One signature has none to be told apart from.
        let mut sorted: Vec<&str> = if reports.len() > 1 { data().collect() } else { Vec::new() };
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted }
    }

    fn distinct<'r>(&self, report: &'r SignatureReport) -> &'r str {
        let text = &*report.signature.signature_data;
        let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let at = self.sorted.partition_point(|other| *other < text);
        let before =
            at.checked_sub(1).and_then(|before| self.sorted.get(before)).map_or(0, |other| shared(other, text));
        let after = self.sorted.get(at + 1).map_or(0, |other| shared(other, text));
        // All of it where it is shorter, or a character would be cut in two.
        text.get(..(before.max(after) + 1).max(8)).unwrap_or(text)
    }
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

    fn signature(data: &str, result: DkimResult) -> SignatureReport {
        let domain = Domain::parse("example.com").unwrap();
        let signature = SignatureSummary {
            identity: Some(format!("@{domain}").into()),
            domain: Some(domain),
            signature_data: data.into(),
            ..SignatureSummary::default()
        };
        SignatureReport::decided(0, signature, result)
    }

    fn verdict() -> Verdict {
        let arc =
            ArcReport { result: ArcResult::None, instances: 0, sealers: Vec::new(), sets: Vec::new(), trusted: None };
        let spf = SpfReports { helo: None, mail_from: None };
        Verdict::new(spf, Vec::new(), arc, DmarcReport::without_author(Edition::Rfc9989, PermReason::NoFrom))
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
        let dmarc = "    dmarc=permerror reason=\"the message has no From field\";";
        assert_eq!(lines, ["mx.example.org;", dmarc, "    arc=none;", "    dkim=none (message not signed)"]);
    }

    #[test]
    fn signatures_that_begin_alike_are_told_apart() {
        let data = ["abcdefghij", "abcdefghik", "abcd", "zzzzzzzzzzzz", "abcdefghij"];
        let reports: Vec<_> = data.iter().map(|data| signature(data, DkimResult::Pass)).collect();
        let expected = ["abcdefghij", "abcdefghik", "abcd", "zzzzzzzz", "abcdefghij"];
        let prefixes = Prefixes::of(&reports);
        assert!(reports.iter().map(|report| prefixes.distinct(report)).eq(expected));
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
            domain: Err(domain.len()),
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

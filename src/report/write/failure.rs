//! Failure reports (RFC 9991): mail that tells a domain owner of one message that failed, without what is private in it.

use super::super::failure_reports::FailureReports;
use crate::{
    dkim::{DkimResult, SignatureReport},
    dmarc::Mechanism,
    dns::RecordType,
    known::Log,
    lex::character_string,
    message::{Header, Marks},
    name::Domain,
    session::{MailFrom, Session},
    spf::SpfResult,
    time::UnixTime,
    verdict::Verdict,
};
use std::{collections::HashMap, fmt::Write as _, io};

/// Domains whose reports are counted at the same time.
const MAX_DOMAINS: usize = 10_000;
/// Octets of the header that are told.
const MAX_HEADER: usize = 64 * 1024;
/// Seconds for which reports are counted together.
const HOUR: u64 = 3600;
/// Fields that help to find out why a message failed. Others may be private, as `Subject` and `To` are.
const TOLD: [&str; 16] = [
    "Received",
    "Return-Path",
    "Authentication-Results",
    "Received-SPF",
    "DKIM-Signature",
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Id",
    "Resent-Date",
    "Auto-Submitted",
];
const USER_AGENT: &str = concat!("mailverdict/", env!("CARGO_PKG_VERSION"));

/// Makes failure reports (RFC 9991) for those domain owners who ask for them (`ruf`, `fo`).
///
/// Nobody makes them but who builds this. Local parts have marks in their place, display names and most fields are left out, and the body
/// is never told (RFC 9991 §7). Of one policy domain there are so many reports an hour; failures beyond that are counted in the next one
/// (§8.1, `Incidents`).
///
/// Where a report may go is for [`Authenticator::report_destinations`](crate::Authenticator::report_destinations) to say, with
/// [`ReportKind::Failure`](super::super::ReportKind).
///
/// ```
/// use mailverdict::{Authenticator, Message, Session, dns::Zone, name::Domain, report::FailureReporter, spf::Observers};
/// use std::{future::Future, net::Ipv4Addr, pin::pin, task::{Context, Poll, Waker}};
/// # fn now<F: Future>(future: F) -> F::Output {
/// #     match pin!(future).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(out) => out, Poll::Pending => panic!() }
/// # }
/// let zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; ruf=mailto:f@contoso.com\"", "zone").unwrap();
/// let message = Message::parse(b"From: Alice <alice@contoso.com>\r\nSubject: secret\r\n\r\n")?;
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 66)).with_mail_from("bob@evil.example");
/// let mut nobody = Observers { helo: (), mail_from: () };
/// let (verdict, log) = now(Authenticator::new(zone).explain(&message, session.clone(), &mut nobody));
/// let mut reporter = FailureReporter::new(Domain::parse("mx.example.net").unwrap(), "dmarc@example.net", 10);
/// let report = reporter.report(&verdict, &session, &log, message.header()).expect("it is asked for");
/// let mail = report.mail("f@contoso.com").unwrap();
/// assert!(mail.contains("\r\nAuth-Failure: dmarc\r\n") && !mail.contains("secret") && !mail.contains("alice"));
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FailureReporter {
    submitter: Domain,
    email: String,
    most: u64,
    counts: HashMap<Domain, Count>,
}

/// What was reported of a domain in its last hour.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since: u64,
    reported: u64,
    /// Failures that were not reported.
    silent: u64,
}

/// A failure report, to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureNotice {
    submitter: Domain,
    email: String,
    domain: Domain,
    arrival: UnixTime,
    /// The fields of the report, with their line ends.
    fields: String,
    header: String,
}

impl FailureReporter {
    /// Who reports, from which address, and how many reports an hour one policy domain gets at most.
    pub fn new(submitter: Domain, email: &str, most_an_hour: u64) -> Self {
        Self { submitter, email: email.to_owned(), most: most_an_hour, counts: HashMap::new() }
    }

    /// The report on a message, received when its session says; `None` where none is asked for, or there were too many of the domain.
    pub fn report(
        &mut self,
        verdict: &Verdict,
        session: &Session,
        log: &Log,
        header: &Header<'_>,
    ) -> Option<FailureNotice> {
        let dmarc = &verdict.dmarc;
        if !FailureReports::asked_for(dmarc, &verdict.spf, &verdict.dkim).dmarc {
            return None;
        }
        let (author, published) = (dmarc.author_domain.as_ref()?, dmarc.record.as_ref()?);
        let incidents = self.incidents(&published.domain, session.received_at)?;
        let mut marks = Marks::default();
        let fields = fields(verdict, session, log, author, incidents, &self.submitter, &mut marks);
        Some(FailureNotice {
            submitter: self.submitter.clone(),
            email: self.email.clone(),
            domain: author.clone(),
            arrival: session.received_at,
            fields,
            header: told(header, author, &mut marks),
        })
    }

    /// For how many failures a report stands, where there may be one.
    fn incidents(&mut self, domain: &Domain, at: UnixTime) -> Option<u64> {
        if self.counts.len() >= MAX_DOMAINS && !self.counts.contains_key(domain) {
            self.counts.retain(|_, count| at.0 < count.since.saturating_add(HOUR));
            if self.counts.len() >= MAX_DOMAINS {
                return None;
            }
        }
        let count = self.counts.entry(domain.clone()).or_default();
        if at.0 >= count.since.saturating_add(HOUR) {
            *count = Count { since: at.0, reported: 0, ..*count };
        }
        if count.reported >= self.most {
            count.silent = count.silent.saturating_add(1);
            return None;
        }
        count.reported += 1;
        Some(std::mem::take(&mut count.silent).saturating_add(1))
    }
}

/// The part `message/feedback-report` (RFC 5965 §3, RFC 6591 §3, RFC 9991 §4).
fn fields(
    verdict: &Verdict,
    session: &Session,
    log: &Log,
    author: &Domain,
    incidents: u64,
    submitter: &Domain,
    marks: &mut Marks,
) -> String {
    let dmarc = &verdict.dmarc;
    let failed = [("dkim", dmarc.dkim_aligned()), ("spf", dmarc.spf_aligned())];
    let failed: Vec<&str> = failed.into_iter().filter(|(_, aligned)| !aligned).map(|(name, _)| name).collect();
    let failed = if failed.is_empty() { "none".to_owned() } else { failed.join(", ") };
    let mut text = String::new();
    let mut add = |name: &str, value: &str| {
        // To write to memory never fails.
        let _ = write!(text, "{name}: {value}\r\n");
    };
    add("Feedback-Type", "auth-failure");
    add("User-Agent", USER_AGENT);
    add("Version", "1");
    add("Auth-Failure", "dmarc");
    add("Authentication-Results", &format!("{submitter}; dmarc=fail header.from={author}"));
    add("Identity-Alignment", &failed);
    match &session.mail_from {
        MailFrom::Null => add("Original-Mail-From", "<>"),
        MailFrom::Address(address) => add("Original-Mail-From", &printable_address(&marks.address(address))),
        MailFrom::FromReturnPath => {}
    }
    if let Some(ip) = session.peer_ip {
        add("Source-IP", &ip.to_string());
    }
    add("Reported-Domain", author.as_str());
    add("Arrival-Date", &super::mail::rfc5322_date(session.received_at));
    if incidents > 1 {
        add("Incidents", &incidents.to_string());
    }
    // RFC 9991 §4: "REQUIRED for DKIM failures of an aligned identifier".
    if let Some(signature) = aligned_failure(verdict, author) {
        let summary = &signature.signature;
        if let Some(domain) = &summary.domain {
            add("DKIM-Domain", domain.as_str());
            add("DKIM-Identity", &format!("@{domain}"));
        }
        if let Some(selector) = &summary.selector {
            add("DKIM-Selector", selector.to_string().trim_end_matches('.'));
        }
    }
    // "REQUIRED for SPF failure of an aligned identifier".
    if let Some(record) = spf_record(verdict, log, author) {
        add("SPF-DNS", &record);
    }
    text
}

/// What stands in a field of the report: printable, and on its line.
fn printable_address(address: &str) -> String {
    address.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// A signature of the author's own domain that does not verify.
fn aligned_failure<'v>(verdict: &'v Verdict, author: &Domain) -> Option<&'v SignatureReport> {
    verdict.dkim.iter().find(|report| {
        let has_failed = match report.result {
            DkimResult::Fail(_) | DkimResult::Policy(_) | DkimResult::PermError(_) => true,
            DkimResult::Pass | DkimResult::Neutral(_) | DkimResult::TempError(_) => false,
        };
        has_failed && report.signature.domain.as_ref().is_some_and(|domain| is_near(domain, author, verdict))
    })
}

fn is_near(domain: &Domain, author: &Domain, verdict: &Verdict) -> bool {
    domain == author || verdict.dmarc.organizational_domain.as_ref().is_some_and(|own| domain.is_at_or_below(own))
}

/// `"txt" : domain : record` (RFC 6591 §3.2.5) of an SPF check that failed for the author's own domain.
fn spf_record(verdict: &Verdict, log: &Log, author: &Domain) -> Option<String> {
    let report = verdict.spf.mail_from.as_ref()?;
    let has_failed = match report.result {
        SpfResult::Fail(..) | SpfResult::SoftFail(_) | SpfResult::Neutral(_) | SpfResult::PermError(_) => true,
        SpfResult::None(_) | SpfResult::Pass(_) | SpfResult::TempError(_) => false,
    };
    let domain = Domain::parse(report.domain()).ok()?;
    if !has_failed || verdict.dmarc.identifiers.iter().any(|of| of.mechanism == Mechanism::Spf && of.is_aligned()) {
        return None;
    }
    is_near(&domain, author, verdict).then_some(())?;
    let mut answers = log
        .entries()
        .iter()
        .filter(|entry| entry.question().record_type == RecordType::Txt && entry.question().name == *domain.as_name());
    let record = answers.find_map(|entry| entry.texts().iter().find(|text| text.starts_with(b"v=spf1")))?;
    folded(&format!("txt : {domain} : {}", character_string(record)))
}

/// A value in lines, broken at blanks; nothing where a word is longer than a line may be (RFC 5322 §2.1.1).
fn folded(value: &str) -> Option<String> {
    const LINE: usize = 76;
    const MOST: usize = 900;
    let (mut text, mut line) = (String::with_capacity(value.len() + 64), 0);
    for (place, word) in value.split(' ').enumerate() {
        if word.len() > MOST {
            return None;
        }
        if place > 0 {
            let is_full = line + word.len() >= LINE;
            text.push_str(if is_full { "\r\n " } else { " " });
            line = if is_full { 0 } else { line };
        }
        text.push_str(word);
        line += word.len() + 1;
    }
    Some(text)
}

/// The header, as far as it is told: fields that help, with marks for local parts, and the author's domain in From.
fn told(header: &Header<'_>, author: &Domain, marks: &mut Marks) -> String {
    let mut octets = Vec::new();
    for field in header.fields() {
        if field.is("From") {
            octets.extend_from_slice(format!("From: <redacted@{author}>\r\n").as_bytes());
        } else if TOLD.iter().any(|name| field.is(name)) && octets.len().saturating_add(field.raw().len()) <= MAX_HEADER
        {
            octets.extend_from_slice(&marks.header(field.raw()));
        }
    }
    let text = String::from_utf8_lossy(&octets);
    // Line ends are those of mail; what is no printable ASCII belongs to no header of ours.
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines: Vec<String> = lines
        .map(|line| line.chars().map(|c| if c == '\t' || c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect())
        .filter(|line: &String| !line.trim().is_empty())
        .collect();
    lines.join("\r\n") + "\r\n"
}

impl FailureNotice {
    /// The mail, to be signed for the domain of the reporter's address and sent (RFC 9991 §5.1).
    ///
    /// # Errors
    /// Where an address holds what no field of a header can.
    pub fn mail(&self, to: &str) -> io::Result<String> {
        for address in [to, &self.email] {
            if address.bytes().any(|octet| !octet.is_ascii_graphic()) {
                let error = "an address has a character that no header field holds as it is";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
            }
        }
        let Self { submitter, email, domain, arrival, fields, header } = self;
        let date = super::mail::rfc5322_date(*arrival);
        // Not in what stands between: `=_` is in no field that is told but as part of a longer line.
        let boundary = "=_mailverdict_failure_report";
        Ok(format!(
            "From: {email}\r\nTo: {to}\r\nDate: {date}\r\nSubject: DMARC failure report for {domain} by {submitter}\r\n\
             Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report;\r\n boundary=\"{boundary}\"\r\n\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             This is a report on a message that claims to be from {domain},\r\nand failed DMARC on {date}.\r\n\r\n\
             --{boundary}\r\nContent-Type: message/feedback-report\r\n\r\n{fields}\r\n\
             --{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n--{boundary}--\r\n"
        ))
    }
}

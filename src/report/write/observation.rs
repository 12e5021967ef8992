//! What an aggregate report tells of one message: a row, and the policy under which it is reported.

use super::super::{
    aggregate::PublishedPolicy,
    deviation::quoted,
    row::{DkimRow, Reason, Row, SpfRow},
    words::{Aligned, AlignmentMode, Applied, DiscoveryMethod, DkimWord, ReasonType, Scope, SpfWord, Testing},
};
use crate::{
    dkim::{DkimResult, SignatureReport},
    dmarc::{
        Disposition, DmarcReport, DmarcResult, Edition, FailureOptions, IgnoredBecause, Lowered, Mechanism, Mode,
        PublishedRecord, Request,
    },
    name::Domain,
    session::{MailFrom, Session},
    spf::SpfResult,
    verdict::{OverrideReason, Verdict},
};
use serde::{Deserialize, Serialize};

/// Signatures that a row has at most (RFC 9990 §3.1.4).
const MAX_SIGNATURES: usize = 100;
/// Errors of a record that are told (RFC 9990 §3.1.6: "should not contain an extremely large body").
const MAX_ERRORS: usize = 5;

/// What is reported of one message, and to which domain: what `batch` writes as `report`, and what an
/// [`Aggregator`](super::Aggregator) adds up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observation {
    /// The domain whose record applies.
    pub policy_domain: Box<str>,
    /// What its record says, with defaults for what it leaves away.
    pub policy: PublishedPolicy,
    /// How the record was found; the policy tells it as well.
    pub discovery_method: Option<DiscoveryMethod>,
    /// Where reports are wanted (`rua`).
    pub rua: Vec<Box<str>>,
    /// What is wrong with the record.
    #[serde(default)]
    pub errors: Vec<Box<str>>,
    /// The message, as a row of its own.
    #[serde(flatten)]
    pub row: Row,
}

impl Observation {
    /// What is reported of a verdict.
    ///
    /// `None` where there is nobody to report to, or nothing to tell: no DMARC record applies, the author domain is not known, the DNS
    /// left DMARC open (`temperror`), or the client is not known.
    ///
    /// ```
    /// use mailverdict::{Authenticator, Message, Session, dns::Zone, report::{Applied, Observation}};
    /// use std::net::Ipv4Addr;
    /// let zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; rua=mailto:r@contoso.com\"", "zone").unwrap();
    /// let message = Message::parse(b"From: Alice <alice@mail.contoso.com>\r\n\r\nPay!\r\n")?;
    /// let session = Session::new(Ipv4Addr::new(192, 0, 2, 66)).with_mail_from("<>");
    /// let verdict = Authenticator::new(zone).authenticate_at_once(&message, session.clone());
    /// let seen = Observation::of(&verdict, &session).unwrap();
    /// assert_eq!((&*seen.policy_domain, seen.row.disposition), ("contoso.com", Some(Applied::Reject)));
    /// assert_eq!(seen.row.header_from.as_deref(), Some("mail.contoso.com"));
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn of(verdict: &Verdict, session: &Session) -> Option<Self> {
        let published = verdict.dmarc.record.as_ref()?;
        match &verdict.dmarc.result {
            DmarcResult::Pass(_) | DmarcResult::Fail(_) | DmarcResult::PermError(_) => {}
            DmarcResult::None(_) | DmarcResult::TempError(_) => return None,
        }
        if verdict.dmarc.author_domain.is_none() || session.peer_ip.is_none() {
            return None;
        }
        let policy = policy(published, verdict.dmarc.edition);
        Some(Self {
            policy_domain: published.domain.as_str().into(),
            discovery_method: policy.discovery_method,
            policy,
            rua: published.record.aggregate_reports.iter().map(|uri| uri.uri.clone()).collect(),
            errors: errors(published),
            row: Row::of(verdict, session),
        })
    }

    /// The same where something else was done with the message than the verdict says, by a policy of the receiver's own.
    #[must_use]
    pub fn handled(mut self, applied: Disposition) -> Self {
        let before = self.row.disposition;
        self.row.disposition = Some(match (applied, before) {
            (Disposition::None, Some(Applied::Pass)) => Applied::Pass,
            (applied, _) => done(applied),
        });
        if self.row.disposition != before {
            let reason = Reason { kind: Some(ReasonType::LocalPolicy), comment: None };
            self.row.reasons.push(reason);
        }
        self
    }

    /// The same with the domain of the recipient.
    #[must_use]
    pub fn to(mut self, recipient: &Domain) -> Self {
        self.row.envelope_to = Some(recipient.as_str().into());
        self
    }
}

impl Row {
    /// The row of one message (RFC 9990 §3.1.1.7 to §3.1.1.14), without the words for people: these would tell rows apart that
    /// belong together.
    pub fn of(verdict: &Verdict, session: &Session) -> Self {
        let dmarc = &verdict.dmarc;
        let aligned = |is_aligned| Some(if is_aligned { Aligned::Pass } else { Aligned::Fail });
        let spf = verdict.spf.mail_from.as_ref().map(|report| SpfRow {
            domain: Some(report.domain().into()),
            // RFC 9990 §3.1.1.13: "Only the "MAIL FROM" identity is used in DMARC."
            scope: Some(Scope::MailFrom),
            result: Some(spf_word(&report.result)),
            human_result: None,
        });
        Self {
            source_ip: session.peer_ip,
            count: 1,
            disposition: Some(disposition(verdict)),
            dkim: aligned(dmarc.dkim_aligned()),
            spf: aligned(dmarc.spf_aligned()),
            reasons: reasons(verdict),
            header_from: dmarc.author_domain.as_ref().map(|domain| domain.as_str().into()),
            envelope_from: envelope_from(verdict, session),
            envelope_to: None,
            dkim_results: signatures(&verdict.dkim, dmarc),
            spf_results: spf.into_iter().collect(),
            extensions: Vec::new(),
        }
    }
}

/// RFC 9990, Appendix A: `pass` is "No action, passing DMARC w/enforcing policy".
fn disposition(verdict: &Verdict) -> Applied {
    let dmarc = &verdict.dmarc;
    match (&dmarc.result, dmarc.policy) {
        (DmarcResult::Pass(_), Some(Disposition::Quarantine | Disposition::Reject)) => Applied::Pass,
        (DmarcResult::Pass(_), Some(Disposition::None) | None) => Applied::None,
        (DmarcResult::Fail(_) | DmarcResult::None(_) | DmarcResult::TempError(_) | DmarcResult::PermError(_), _) => {
            done(verdict.disposition)
        }
    }
}

fn done(disposition: Disposition) -> Applied {
    match disposition {
        Disposition::None => Applied::None,
        Disposition::Quarantine => Applied::Quarantine,
        Disposition::Reject => Applied::Reject,
    }
}

/// RFC 9990 §3.1.7: why the disposition is not the policy's.
fn reasons(verdict: &Verdict) -> Vec<Reason> {
    let lowered = verdict.dmarc.lowered.map(|lowered| match lowered {
        Lowered::TestMode => Reason { kind: Some(ReasonType::PolicyTestMode), comment: None },
        // RFC 9990 has no word for `pct` any more.
        Lowered::NotSampled { percent, .. } => {
            let comment = format!("not among the {percent} percent of pct");
            Reason { kind: Some(ReasonType::Other), comment: Some(comment.into()) }
        }
    });
    let offered = verdict.policy_override.as_ref().map(|offered| Reason {
        kind: Some(match offered.reason {
            OverrideReason::TrustedForwarder => ReasonType::TrustedForwarder,
        }),
        comment: Some(offered.comment.clone()),
    });
    lowered.into_iter().chain(offered).collect()
}

/// The domain of MAIL FROM; empty for the null reverse-path (RFC 9990 §3.1.1.10).
fn envelope_from(verdict: &Verdict, session: &Session) -> Option<Box<str>> {
    let of_report = || verdict.spf.mail_from.as_ref().map(|report| report.domain().into());
    match &session.mail_from {
        MailFrom::Null => Some("".into()),
        MailFrom::FromReturnPath => of_report(),
        MailFrom::Address(address) => {
            let written = address.rsplit_once('@').map_or(&**address, |(_, domain)| domain);
            of_report().or_else(|| Some(written.into()))
        }
    }
}

/// RFC 9990 §3.1.4: those that pass in strict alignment, in relaxed alignment, others that pass, and those that do not; each in the order
/// of the message. A field without `d=` was not verified.
fn signatures(reports: &[SignatureReport], dmarc: &DmarcReport) -> Vec<DkimRow> {
    let rank = |report: &SignatureReport| {
        let Some(domain) = report.signature.domain.as_ref().filter(|_| report.result == DkimResult::Pass) else {
            return 3;
        };
        if dmarc.author_domain.as_ref() == Some(domain) {
            return 0;
        }
        let mut aligned = dmarc.identifiers.iter().filter(|identifier| {
            identifier.mechanism == Mechanism::Dkim && identifier.domain == *domain && identifier.is_aligned()
        });
        if aligned.next().is_some() { 1 } else { 2 }
    };
    let mut ranked: Vec<(u8, &SignatureReport)> = reports.iter().map(|report| (rank(report), report)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let row = |report: &SignatureReport| {
        let domain = report.signature.domain.as_ref()?;
        Some(DkimRow {
            domain: Some(domain.as_str().into()),
            selector: report
                .signature
                .selector
                .as_ref()
                .map(|selector| selector.to_string().trim_end_matches('.').into()),
            result: Some(dkim_word(&report.result)),
            human_result: None,
        })
    };
    ranked.into_iter().filter_map(|(_, report)| row(report)).take(MAX_SIGNATURES).collect()
}

fn dkim_word(result: &DkimResult) -> DkimWord {
    match result {
        DkimResult::Pass => DkimWord::Pass,
        DkimResult::Fail(_) => DkimWord::Fail,
        DkimResult::Policy(_) => DkimWord::Policy,
        DkimResult::Neutral(_) => DkimWord::Neutral,
        DkimResult::TempError(_) => DkimWord::TempError,
        DkimResult::PermError(_) => DkimWord::PermError,
    }
}

fn spf_word(result: &SpfResult) -> SpfWord {
    match result {
        SpfResult::None(_) => SpfWord::None,
        SpfResult::Neutral(_) => SpfWord::Neutral,
        SpfResult::Pass(_) => SpfWord::Pass,
        SpfResult::Fail(..) => SpfWord::Fail,
        SpfResult::SoftFail(_) => SpfWord::SoftFail,
        SpfResult::TempError(_) => SpfWord::TempError,
        SpfResult::PermError(_) => SpfWord::PermError,
    }
}

/// RFC 9990 §3.1.1.5: "Unspecified tags have their default values."
fn policy(published: &PublishedRecord, edition: Edition) -> PublishedPolicy {
    let record = &published.record;
    let stated = |request: &Request| match request {
        Request::Valid(disposition) => Some(*disposition),
        Request::Absent | Request::Malformed(_) => None,
    };
    // RFC 9989 §4.7: `p` where `sp` is missing, `sp` where `np` is.
    let p = stated(&record.policy).unwrap_or(Disposition::None);
    let sp = stated(&record.subdomain_policy).unwrap_or(p);
    let mode = |mode| match mode {
        Mode::Relaxed => AlignmentMode::Relaxed,
        Mode::Strict => AlignmentMode::Strict,
    };
    let is_rfc9989 = edition == Edition::Rfc9989;
    PublishedPolicy {
        p: Some(p),
        sp: Some(sp),
        np: is_rfc9989.then(|| stated(&record.nonexistent_policy).unwrap_or(sp)),
        adkim: Some(mode(record.dkim_alignment)),
        aspf: Some(mode(record.spf_alignment)),
        fo: Some(failure_options(record.failure_options)),
        testing: is_rfc9989.then_some(if record.testing { Testing::Yes } else { Testing::No }),
        discovery_method: Some(match edition {
            Edition::Rfc9989 => DiscoveryMethod::TreeWalk,
            Edition::Rfc7489 => DiscoveryMethod::PublicSuffixList,
        }),
        pct: None,
    }
}

/// RFC 9990 §3.1.6; a tag that is not registered is no error.
fn errors(published: &PublishedRecord) -> Vec<Box<str>> {
    let ignored = published.record.ignored.iter().filter(|ignored| ignored.why != IgnoredBecause::UnknownTag);
    let says = ignored.map(|ignored| format!("{}: {}", quoted(&ignored.text), ignored.why).into());
    says.take(MAX_ERRORS).collect()
}

fn failure_options(options: FailureOptions) -> Box<str> {
    let FailureOptions { all_fail, any_fails, dkim, spf } = options;
    let words = [("0", all_fail), ("1", any_fails), ("d", dkim), ("s", spf)];
    let words: Vec<&str> = words.into_iter().filter(|(_, is_stated)| *is_stated).map(|(word, _)| word).collect();
    words.join(":").into()
}

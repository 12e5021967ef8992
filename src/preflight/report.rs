//! What a preflight came to.

use super::{demand::Receiver, way::Way};
use crate::{
    dkim::{DkimResult, SignatureReport},
    dmarc::{Disposition, DmarcResult},
    finding::{Finding, bounded},
    known::Log,
    lex::printable,
    spf::SpfResult,
    verdict::Verdict,
};

/// Whether mail would pass that is sent as planned, and what receivers would say.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The host hands the message over itself.
    pub direct: Outcome,
    /// A forwarder hands it on with the envelope as it is: SPF is lost.
    pub forwarded: Outcome,
    /// A forwarder hands it on with an envelope of its own.
    pub rewritten: Outcome,
    /// A mailing list hands it on with a tag before the subject, a footer below the text, and an envelope of its own.
    pub list: Outcome,
    /// What large receivers ask for, and whether it is met.
    pub requirements: Vec<Requirement>,
    /// What is wrong with records, the message and the host; the worst first.
    pub findings: Vec<Finding>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) log: Log,
}

impl Report {
    /// All that was asked and answered.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether all that was asked has an answer.
    pub fn is_complete(&self) -> bool {
        self.log.entries().iter().all(|entry| matches!(entry.answer(), Some(Ok(_))))
    }
}

/// What receivers come to at the end of one way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The evaluation.
    pub verdict: Verdict,
    /// What happens on that way, what it comes to, and why; printable.
    pub says: Box<str>,
}

/// Something that a large receiver publishes that it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Requirement {
    /// Its id, such as `google-dmarc`; never renamed.
    pub id: &'static str,
    /// Who asks for it.
    pub receiver: Receiver,
    /// Whether it is for those alone who send 5,000 messages a day or more.
    #[cfg_attr(feature = "serde", serde(rename = "bulk_only"))]
    pub is_bulk_only: bool,
    /// Whether it is met; `None` where that cannot be seen from here, or the DNS left it open.
    #[cfg_attr(feature = "serde", serde(rename = "met"))]
    pub is_met: Option<bool>,
    /// The SMTP reply, or its enhanced status code (RFC 3463), that is published for those who do not meet it.
    pub reply: Option<&'static str>,
    /// One sentence: what is so. Printable, and bounded.
    pub says: Box<str>,
    /// One sentence: what to do.
    pub advice: Option<Box<str>>,
    /// The page that says so.
    pub source: &'static str,
    /// The month of that page, such as `2026-03`.
    pub as_of: &'static str,
}

impl Outcome {
    pub(super) fn of(way: Way, verdict: Verdict) -> Self {
        let says = bounded(&says(way, &verdict));
        Self { verdict, says }
    }

    /// The keyword of SPF's result for MAIL FROM; `none` where there is no such identity.
    pub fn spf(&self) -> &'static str {
        self.verdict.spf.mail_from.as_ref().map_or("none", |report| report.result.keyword())
    }

    /// `pass` where a signature passes, else the keyword of the first one; `none` where there is none.
    pub fn dkim(&self) -> &'static str {
        let decisive = passing(&self.verdict).or(self.verdict.dkim.first());
        decisive.map_or("none", |report| report.result.keyword())
    }

    /// The keyword of DMARC's result.
    pub fn dmarc(&self) -> &'static str {
        self.verdict.dmarc.result.keyword()
    }

    /// Whether an identifier that SPF authenticated aligns with the author domain.
    pub fn spf_aligned(&self) -> bool {
        self.verdict.dmarc.spf_aligned()
    }

    /// Whether an identifier that DKIM authenticated aligns with the author domain.
    pub fn dkim_aligned(&self) -> bool {
        self.verdict.dmarc.dkim_aligned()
    }
}

/// `spf`, `dkim`, `dmarc`, `spf_aligned`, `dkim_aligned`, `disposition`, `says`.
#[cfg(feature = "serde")]
impl serde::Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Outcome", 7)?;
        fields.serialize_field("spf", self.spf())?;
        fields.serialize_field("dkim", self.dkim())?;
        fields.serialize_field("dmarc", self.dmarc())?;
        fields.serialize_field("spf_aligned", &self.spf_aligned())?;
        fields.serialize_field("dkim_aligned", &self.dkim_aligned())?;
        fields.serialize_field("disposition", self.verdict.dmarc.disposition.keyword())?;
        fields.serialize_field("says", &self.says)?;
        fields.end()
    }
}

fn says(way: Way, verdict: &Verdict) -> String {
    let happens = match way {
        Way::Direct => "The host hands the message over itself",
        Way::Forwarded => "A forwarder hands it on with the envelope as it is",
        Way::Rewritten => "A forwarder puts an address of its own into MAIL FROM",
        Way::List => {
            "A list puts a tag before the subject, a footer below the text, and an address of its own into MAIL FROM"
        }
    };
    let dmarc = &verdict.dmarc;
    let result = &dmarc.result;
    let comes_to = match result {
        DmarcResult::Pass(_) => format!("DMARC passes, because {result}"),
        DmarcResult::Fail(_) => {
            let asked = match dmarc.disposition {
                Disposition::None => "do nothing about it",
                Disposition::Quarantine => "treat it as suspicious",
                Disposition::Reject => "reject it",
            };
            let (spf, dkim) = (of_spf(way, verdict), of_dkim(verdict));
            format!("DMARC fails, because {spf}, and {dkim}; receivers are asked to {asked}")
        }
        DmarcResult::None(_) => format!("DMARC has no say, because {result}"),
        DmarcResult::TempError(_) => format!("DMARC cannot be evaluated now, because {result}"),
        DmarcResult::PermError(_) => format!("DMARC cannot be evaluated, because {result}"),
    };
    // RFC 9989 §7.4.
    let hint = match (way, result) {
        (Way::Forwarded | Way::Rewritten, DmarcResult::Fail(_)) => {
            ". A signature by the author domain would survive that"
        }
        (Way::List, DmarcResult::Fail(_)) if dmarc.disposition != Disposition::None => {
            ". Lists that know of this put their own address into From, or seal the message (ARC)"
        }
        _ => "",
    };
    format!("{happens}: {comes_to}{hint}.")
}

/// Why SPF does not help.
fn of_spf(way: Way, verdict: &Verdict) -> String {
    let Some(report) = &verdict.spf.mail_from else { return "SPF has no domain to check".to_owned() };
    match (&report.result, way) {
        (SpfResult::Pass(_), Way::Direct | Way::Forwarded) => {
            format!(
                "SPF passes for {}, which is not aligned with the author domain",
                printable(report.domain().as_bytes())
            )
        }
        (SpfResult::Pass(_), Way::Rewritten) => "SPF speaks for the forwarder alone".to_owned(),
        (SpfResult::Pass(_), Way::List) => "SPF speaks for the list alone".to_owned(),
        (_, Way::Forwarded) => "SPF does not know the forwarder".to_owned(),
        (_, Way::Direct | Way::Rewritten | Way::List) => format!("SPF does not pass: {report}"),
    }
}

/// Why DKIM does not help.
fn of_dkim(verdict: &Verdict) -> String {
    let domain = |report: &SignatureReport| {
        report.signature.domain.as_ref().map_or_else(|| "its domain".to_owned(), ToString::to_string)
    };
    match (passing(verdict), verdict.dkim.first()) {
        (Some(report), _) => {
            format!("DKIM passes for {}, which is not aligned with the author domain", domain(report))
        }
        (None, Some(report)) => format!("DKIM does not pass for {}: {}", domain(report), report.result),
        (None, None) => "nothing is signed with DKIM".to_owned(),
    }
}

fn passing(verdict: &Verdict) -> Option<&SignatureReport> {
    verdict.dkim.iter().find(|report| matches!(report.result, DkimResult::Pass))
}

//! What an SMTP server replies to mail that it does not take.

use crate::{
    dkim::DkimResult,
    dmarc::{Disposition, DmarcResult, TempErrorReason},
    lex::printable,
    spf::{SpfReport, SpfResult},
    verdict::Verdict,
};
use std::fmt;

/// Octets of the text: a reply has 512 at most, with its codes and line end (RFC 5321 §4.5.3.1.5).
const MAX_TEXT: usize = 450;

/// A reply of SMTP (RFC 5321 §4.2) with an enhanced status code (RFC 3463, RFC 7372).
///
/// The text is printable ASCII of no more than 450 octets, whatever strangers wrote. `Display` gives the line without its end.
///
/// ```
/// use mailverdict::{Authenticator, Message, Session, dns::Zone, reply::Reply};
/// use std::net::Ipv4Addr;
/// let zone = Zone::parse("contoso.com. TXT \"v=spf1 -all\"\n_dmarc.contoso.com. TXT \"v=DMARC1; p=reject\"", "zone").unwrap();
/// let message = Message::parse(b"From: alice@contoso.com\r\n\r\nHello\r\n")?;
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 66)).with_mail_from("alice@contoso.com");
/// let verdict = Authenticator::new(zone).authenticate_at_once(&message, session);
/// assert_eq!(
///     Reply::of_dmarc(&verdict).unwrap().to_string(),
///     "550 5.7.26 contoso.com asks to reject mail that is not authenticated: SPF failed for 192.0.2.66, no DKIM signature (see RFC 9989)"
/// );
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: &'static str,
    text: String,
}

impl Reply {
    /// `550 5.7.26` where DMARC fails, or the author domain cannot be evaluated and a policy of one of them is not `none`. `None` where
    /// there is nothing to refuse for: whether to do so is the receiver's business (RFC 9989 §7.4).
    pub fn of_dmarc(verdict: &Verdict) -> Option<Self> {
        let dmarc = &verdict.dmarc;
        let why = match &dmarc.result {
            DmarcResult::Fail(_) => {
                format!("{}, {} (see RFC 9989)", of_spf(verdict), of_dkim(verdict))
            }
            DmarcResult::PermError(reason) if dmarc.disposition != Disposition::None => reason.to_string(),
            DmarcResult::None(_) | DmarcResult::Pass(_) | DmarcResult::TempError(_) | DmarcResult::PermError(_) => {
                return None;
            }
        };
        let owner = dmarc.policy_domain.as_ref().or(dmarc.author_domain.as_ref());
        let owner = owner.map_or("the author's domain", |domain| domain.as_str());
        let asked = match dmarc.disposition {
            Disposition::Reject => "asks to reject mail that is not authenticated",
            Disposition::Quarantine => "asks to distrust mail that is not authenticated",
            Disposition::None => "does not authenticate this mail",
        };
        Some(Self::new(550, "5.7.26", &format!("{owner} {asked}: {why}")))
    }

    /// `550 5.7.23` where SPF fails for MAIL FROM, or for HELO where there is no MAIL FROM (RFC 7372 §3.2). With the explanation that the
    /// domain publishes (RFC 7208 §6.2), as its word and not the receiver's.
    pub fn of_spf(verdict: &Verdict) -> Option<Self> {
        let report = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref())?;
        let SpfResult::Fail(..) = report.result else { return None };
        let domain = report.domain();
        let told = report.result.published_explanation();
        let told = told.map_or_else(String::new, |text| format!("; {domain} explains: {text}"));
        Some(Self::new(550, "5.7.23", &format!("SPF failed: {report}{told}")))
    }

    /// `451` where a result is open because the DNS did not answer, and another attempt may find it: `4.7.24` where that is SPF's, `4.7.5`
    /// where it is that of a key, `4.7.1` where it is DMARC's own (RFC 7372, RFC 3463 §3.8).
    pub fn of_temporary_error(verdict: &Verdict) -> Option<Self> {
        let DmarcResult::TempError(reason) = &verdict.dmarc.result else { return None };
        let enhanced = match reason {
            TempErrorReason::Identifier { mechanism, .. } if mechanism.name() == "SPF" => "4.7.24",
            TempErrorReason::Identifier { .. } => "4.7.5",
            _ => "4.7.1",
        };
        Some(Self::new(451, enhanced, &format!("try again later: {reason}")))
    }

    /// `550 5.7.1` where the From fields name several authors, or none that can be read, so that DMARC cannot protect any
    /// (RFC 9989 §11.5).
    pub fn of_authors(verdict: &Verdict) -> Option<Self> {
        match &verdict.dmarc.result {
            DmarcResult::PermError(reason) => {
                Some(Self::new(550, "5.7.1", &format!("the author of this message is not clear: {reason}")))
            }
            DmarcResult::None(_) | DmarcResult::Pass(_) | DmarcResult::Fail(_) | DmarcResult::TempError(_) => None,
        }
    }

    /// `552 5.3.4`: the message is larger than the receiver takes (RFC 3463 §3.4). `what` says which part of it, and what the limit is.
    pub fn too_large(what: &str) -> Self {
        Self::new(552, "5.3.4", what)
    }

    /// The same for a fault that passes: `4yz` in place of `5yz`, of which 550 becomes 451 and 552 becomes 452.
    #[must_use]
    pub fn temporary(self) -> Self {
        let code = match self.code {
            550 | 451 => 451,
            552 | 452 => 452,
            other => other,
        };
        let enhanced = match self.enhanced {
            "5.7.26" => "4.7.26",
            "5.7.23" => "4.7.23",
            "5.7.1" => "4.7.1",
            "5.3.4" => "4.3.4",
            other => other,
        };
        Self { code, enhanced, ..self }
    }

    fn new(code: u16, enhanced: &'static str, text: &str) -> Self {
        let mut text = String::from(printable(text.as_bytes()));
        if text.len() > MAX_TEXT {
            text.truncate(MAX_TEXT - 3);
            text.push_str("...");
        }
        Self { code, enhanced, text }
    }

    /// The code of RFC 5321.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code.
    pub fn enhanced(&self) -> &'static str {
        self.enhanced
    }

    /// What is said behind the codes.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, self.enhanced, self.text)
    }
}

fn of_spf(verdict: &Verdict) -> String {
    let Some(SpfReport { result, ip, .. }) = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref()) else {
        return "SPF not evaluated".to_owned();
    };
    match result {
        SpfResult::Pass(_) => "SPF passed for a domain that does not align".to_owned(),
        SpfResult::Fail(..) => format!("SPF failed for {ip}"),
        SpfResult::SoftFail(_) => format!("SPF softfail for {ip}"),
        SpfResult::Neutral(_) => format!("SPF neutral for {ip}"),
        SpfResult::None(_) => "no SPF record".to_owned(),
        SpfResult::TempError(_) => "SPF not known".to_owned(),
        SpfResult::PermError(_) => "an SPF record with an error".to_owned(),
    }
}

fn of_dkim(verdict: &Verdict) -> &'static str {
    match verdict.dkim.as_slice() {
        [] => "no DKIM signature",
        reports if reports.iter().any(|report| report.result == DkimResult::Pass) => {
            "no DKIM signature by a domain that aligns"
        }
        _ => "no valid DKIM signature",
    }
}

//! Which failure reports a record asks for on a verdict: the `fo` tag, RFC 9989 §4.7.

use crate::{
    dkim::{DkimResult, SignatureReport},
    dmarc::{DmarcReport, DmarcResult, PublicSuffix},
    spf::{SpfReports, SpfResult},
};

/// The failure reports that the domain owner asks for. A receiver may choose to send fewer, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FailureReports {
    /// A DMARC failure report (`fo=0`, `fo=1`; RFC 9991).
    pub dmarc: bool,
    /// A DKIM failure report (`fo=d`; RFC 6651).
    pub dkim: bool,
    /// An SPF failure report (`fo=s`; RFC 6652).
    pub spf: bool,
}

impl FailureReports {
    /// Which failure reports the record that applies asks for on a message, given what DMARC, SPF and DKIM said of it.
    ///
    /// None without a usable `ruf`, by which `fo` is ignored (RFC 9989 §4.7), for a record with `psd=y` (RFC 9991 §2), and where
    /// the DNS left the result open. Test mode does not matter. SPF has failed where MAIL FROM is `fail`, `softfail` or
    /// `permerror`, a signature where it is not `pass` for a reason that will not pass.
    ///
    /// ```
    /// use mailverdict::{Authenticator, Message, dns::Zone, report::FailureReports};
    /// use std::net::Ipv4Addr;
    /// let zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; ruf=mailto:f@contoso.com\"", "contoso.zone").unwrap();
    /// let message = Message::parse(b"From: Alice <alice@contoso.com>\r\n\r\nPay this at once!\r\n")?;
    /// let verdict = Authenticator::new(zone).authenticate_at_once(&message, Ipv4Addr::new(192, 0, 2, 66));
    /// let reports = FailureReports::asked_for(&verdict.dmarc, &verdict.spf, &verdict.dkim);
    /// assert!(reports.dmarc && !reports.dkim && !reports.spf);
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn asked_for(dmarc: &DmarcReport, spf: &SpfReports, dkim: &[SignatureReport]) -> Self {
        let Some(published) = &dmarc.record else { return Self::default() };
        let record = &published.record;
        let concluded = match dmarc.result {
            DmarcResult::Pass(_) | DmarcResult::Fail(_) => true,
            DmarcResult::None(_) | DmarcResult::TempError(_) | DmarcResult::PermError(_) => false,
        };
        if record.failure_reports.is_empty() || record.public_suffix == PublicSuffix::Yes || !concluded {
            return Self::default();
        }
        let (spf_aligned, dkim_aligned) = (dmarc.spf_aligned(), dmarc.dkim_aligned());
        let options = record.failure_options;
        let spf_failed = spf.mail_from.as_ref().is_some_and(|report| match report.result {
            SpfResult::Fail(..) | SpfResult::SoftFail(_) | SpfResult::PermError(_) => true,
            SpfResult::None(_) | SpfResult::Neutral(_) | SpfResult::Pass(_) | SpfResult::TempError(_) => false,
        });
        let dkim_failed = dkim.iter().any(|report| match report.result {
            DkimResult::Fail(_) | DkimResult::Policy(_) | DkimResult::PermError(_) => true,
            DkimResult::Pass | DkimResult::Neutral(_) | DkimResult::TempError(_) => false,
        });
        Self {
            dmarc: options.all_fail && !spf_aligned && !dkim_aligned
                || options.any_fails && !(spf_aligned && dkim_aligned),
            dkim: options.dkim && dkim_failed,
            spf: options.spf && spf_failed,
        }
    }

    /// Whether any is asked for.
    pub fn any(self) -> bool {
        self.dmarc || self.dkim || self.spf
    }
}

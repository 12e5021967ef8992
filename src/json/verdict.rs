//! A whole verdict.

use super::{arc, dkim, dmarc, shown::Shown};
use crate::{
    arc::ArcReport,
    change::Changes,
    dkim::SignatureReport,
    dmarc::{Disposition, DmarcReport},
    message::{Message, Oddity},
    session::Session,
    spf::SpfReports,
    verdict::{PolicyOverride, Verdict},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::borrow::Cow;

/// The version of the form: it changes where a member would have to be renamed or removed.
pub const VERSION: u32 = 1;

/// As it is written.
#[derive(Serialize)]
pub(super) struct Written<'v> {
    spf: &'v SpfReports,
    dkim: Signatures<'v>,
    arc: arc::Shape<'v, arc::Set<'v>>,
    dmarc: dmarc::Shape<'v>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dmarc_rfc7489: Option<dmarc::Shape<'v>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dmarc_differences: Option<dmarc::Differences>,
    #[serde(rename = "override")]
    policy_override: Option<&'v PolicyOverride>,
    disposition: Disposition,
    oddities: Vec<Odd<'v>>,
}

/// As it is read.
#[derive(Deserialize)]
struct Read {
    version: u32,
    spf: SpfReports,
    dkim: Vec<SignatureReport>,
    arc: ArcReport,
    dmarc: DmarcReport,
    dmarc_rfc7489: Option<DmarcReport>,
    #[serde(rename = "override")]
    policy_override: Option<PolicyOverride>,
    disposition: Disposition,
    oddities: Vec<Odd<'static>>,
}

/// One after the other, because a message may have a hundred thousand of them.
struct Signatures<'v> {
    reports: &'v [SignatureReport],
    message: Option<&'v Message<'v>>,
    changes: Option<&'v Changes>,
}

impl Serialize for Signatures<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = |place: usize| Some(self.changes?.dkim.get(place).map_or(&[][..], |changes| changes));
        let each = self.reports.iter().enumerate();
        serializer.collect_seq(each.map(|(place, report)| dkim::Shape::of(report, self.message, changes(place))))
    }
}

/// What is odd about the message, with its words.
#[derive(Serialize, Deserialize)]
struct Odd<'v> {
    kind: Cow<'v, Oddity>,
    #[serde(skip_deserializing)]
    says: Option<Shown<'v>>,
}

impl<'v> Written<'v> {
    /// With what the message and the session tell beside the verdict, and with the changes where they were asked for.
    pub(super) fn of(
        verdict: &'v Verdict,
        message: Option<&'v Message<'v>>,
        session: Option<&Session>,
        changes: Option<&'v Changes>,
    ) -> Self {
        let dmarc = |report: &'v DmarcReport| dmarc::Shape::of(report, session.map(|session| (&verdict.spf, session)));
        let older = verdict.dmarc_rfc7489.as_ref();
        Self {
            spf: &verdict.spf,
            dkim: Signatures { reports: &verdict.dkim, message, changes },
            arc: arc::Shape::of(&verdict.arc, changes),
            dmarc: dmarc(&verdict.dmarc),
            dmarc_rfc7489: older.map(dmarc),
            dmarc_differences: older.map(|older| dmarc::Differences::of(&verdict.dmarc, older)),
            policy_override: verdict.policy_override.as_ref(),
            disposition: verdict.disposition,
            oddities: verdict
                .oddities
                .iter()
                .map(|kind| Odd { kind: Cow::Borrowed(kind), says: Some(Shown(kind)) })
                .collect(),
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Versioned<'v> {
            version: u32,
            #[serde(flatten)]
            verdict: Written<'v>,
        }
        Versioned { version: VERSION, verdict: Written::of(self, None, None, None) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        if read.version != VERSION {
            return Err(D::Error::custom(format_args!("the verdict has version {}, not {VERSION}", read.version)));
        }
        let verdict = Self {
            spf: read.spf,
            dkim: read.dkim,
            arc: read.arc,
            dmarc: read.dmarc,
            dmarc_rfc7489: read.dmarc_rfc7489,
            policy_override: read.policy_override,
            disposition: read.disposition,
            oddities: read.oddities.into_iter().map(|odd| odd.kind.into_owned()).collect(),
        };
        let expected = if verdict.policy_override.is_some() { Disposition::None } else { verdict.dmarc.disposition };
        if verdict.disposition != expected {
            return Err(D::Error::custom("the disposition is neither that of DMARC nor that of an override"));
        }
        Ok(verdict)
    }
}

//! Which element may stand in which, by all schemas that are in use.

/// An element of a report that has elements of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Around the report: the document, or what somebody wrapped it in.
    Outside,
    Feedback,
    Metadata,
    DateRange,
    Policy,
    Record,
    Row,
    Evaluated,
    Reason,
    Identifiers,
    AuthResults,
    Dkim,
    Spf,
    /// Where extensions belong.
    Extension,
    /// What no schema has there.
    Unknown,
    /// An element with a text.
    Leaf(Leaf),
}

/// An element with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Version,
    OrgName,
    Email,
    ExtraContactInfo,
    ReportId,
    Error,
    Generator,
    Begin,
    End,
    PolicyDomain,
    P,
    Sp,
    Np,
    Adkim,
    Aspf,
    Fo,
    Testing,
    DiscoveryMethod,
    Pct,
    VersionPublished,
    SourceIp,
    Count,
    Disposition,
    AlignedDkim,
    AlignedSpf,
    ReasonType,
    ReasonComment,
    HeaderFrom,
    EnvelopeFrom,
    EnvelopeTo,
    DkimDomain,
    DkimSelector,
    DkimResult,
    DkimHuman,
    SpfDomain,
    SpfScope,
    SpfResult,
    SpfHuman,
}

impl Place {
    /// The elements that may stand in it, with their names.
    fn elements(self) -> &'static [(&'static str, Self)] {
        use Leaf::*;
        use Place::Leaf as L;
        match self {
            Self::Outside => &[("feedback", Self::Feedback)],
            Self::Feedback => &[
                ("record", Self::Record),
                ("version", L(Version)),
                ("report_metadata", Self::Metadata),
                ("policy_published", Self::Policy),
                ("extension", Self::Extension),
                ("extensions", Self::Extension),
            ],
            Self::Metadata => &[
                ("org_name", L(OrgName)),
                ("email", L(Email)),
                ("extra_contact_info", L(ExtraContactInfo)),
                ("report_id", L(ReportId)),
                ("date_range", Self::DateRange),
                ("error", L(Error)),
                ("generator", L(Generator)),
            ],
            Self::DateRange => &[("begin", L(Begin)), ("end", L(End))],
            Self::Policy => &[
                ("domain", L(PolicyDomain)),
                ("p", L(P)),
                ("sp", L(Sp)),
                ("np", L(Np)),
                ("adkim", L(Adkim)),
                ("aspf", L(Aspf)),
                ("fo", L(Fo)),
                ("testing", L(Testing)),
                ("discovery_method", L(DiscoveryMethod)),
                ("pct", L(Pct)),
                ("version_published", L(VersionPublished)),
            ],
            Self::Record => &[
                ("row", Self::Row),
                ("identifiers", Self::Identifiers),
                // As drafts before RFC 7489 had it.
                ("identities", Self::Identifiers),
                ("auth_results", Self::AuthResults),
                ("extension", Self::Extension),
                ("extensions", Self::Extension),
            ],
            Self::Row => &[("source_ip", L(SourceIp)), ("count", L(Count)), ("policy_evaluated", Self::Evaluated)],
            Self::Evaluated => &[
                ("disposition", L(Disposition)),
                ("dkim", L(AlignedDkim)),
                ("spf", L(AlignedSpf)),
                ("reason", Self::Reason),
            ],
            Self::Reason => &[("type", L(ReasonType)), ("comment", L(ReasonComment))],
            Self::Identifiers => {
                &[("header_from", L(HeaderFrom)), ("envelope_from", L(EnvelopeFrom)), ("envelope_to", L(EnvelopeTo))]
            }
            Self::AuthResults => &[("dkim", Self::Dkim), ("spf", Self::Spf)],
            Self::Dkim => &[
                ("domain", L(DkimDomain)),
                ("selector", L(DkimSelector)),
                ("result", L(DkimResult)),
                ("human_result", L(DkimHuman)),
            ],
            Self::Spf => &[
                ("domain", L(SpfDomain)),
                ("scope", L(SpfScope)),
                ("result", L(SpfResult)),
                ("human_result", L(SpfHuman)),
            ],
            Self::Extension | Self::Unknown | Self::Leaf(_) => &[],
        }
    }

    /// The element of this local name there, with its name as the schema has it.
    pub(super) fn element(self, name: &str) -> Option<(&'static str, Self)> {
        self.elements().iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).copied()
    }
}

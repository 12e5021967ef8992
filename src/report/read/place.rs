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

/// The elements of each, with their names.
const ELEMENTS: [(Place, &[(&str, Place)]); 13] = {
    use Leaf::*;
    use Place::{
        AuthResults, DateRange, Dkim, Evaluated, Extension, Feedback, Identifiers, Leaf as L, Metadata, Outside,
        Policy, Reason, Record, Row, Spf,
    };
    [
        (Outside, &[("feedback", Feedback)]),
        (
            Feedback,
            &[
                ("record", Record),
                ("version", L(Version)),
                ("report_metadata", Metadata),
                ("policy_published", Policy),
                ("extension", Extension),
                ("extensions", Extension),
            ],
        ),
        (
            Metadata,
            &[
                ("org_name", L(OrgName)),
                ("email", L(Email)),
                ("extra_contact_info", L(ExtraContactInfo)),
                ("report_id", L(ReportId)),
                ("date_range", DateRange),
                ("error", L(Error)),
                ("generator", L(Generator)),
            ],
        ),
        (DateRange, &[("begin", L(Begin)), ("end", L(End))]),
        (
            Policy,
            &[
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
        ),
        (
            Record,
            &[
                ("row", Row),
                ("identifiers", Identifiers),
                // As drafts before RFC 7489 had it.
                ("identities", Identifiers),
                ("auth_results", AuthResults),
                ("extension", Extension),
                ("extensions", Extension),
            ],
        ),
        (Row, &[("source_ip", L(SourceIp)), ("count", L(Count)), ("policy_evaluated", Evaluated)]),
        (
            Evaluated,
            &[("disposition", L(Disposition)), ("dkim", L(AlignedDkim)), ("spf", L(AlignedSpf)), ("reason", Reason)],
        ),
        (Reason, &[("type", L(ReasonType)), ("comment", L(ReasonComment))]),
        (
            Identifiers,
            &[("header_from", L(HeaderFrom)), ("envelope_from", L(EnvelopeFrom)), ("envelope_to", L(EnvelopeTo))],
        ),
        (AuthResults, &[("dkim", Dkim), ("spf", Spf)]),
        (
            Dkim,
            &[
                ("domain", L(DkimDomain)),
                ("selector", L(DkimSelector)),
                ("result", L(DkimResult)),
                ("human_result", L(DkimHuman)),
            ],
        ),
        (
            Spf,
            &[
                ("domain", L(SpfDomain)),
                ("scope", L(SpfScope)),
                ("result", L(SpfResult)),
                ("human_result", L(SpfHuman)),
            ],
        ),
    ]
};

impl Place {
    /// The element of this local name there, with its name as the schema has it.
    pub(super) fn element(self, name: &str) -> Option<(&'static str, Self)> {
        let (_, elements) = ELEMENTS.iter().find(|(place, _)| *place == self)?;
        elements.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).copied()
    }
}

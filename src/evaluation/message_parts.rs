//! What begins with the header: DKIM, ARC and DMARC.

use crate::{
    arc::{self, ArcReport},
    budget::Share,
    dkim::{self, SignatureReport},
    dmarc::{self, Discovered, Identifiers},
    known::{AtHand, Known, Log, Part, Unknown},
    message::{Authors, BodyLineEnds, Header, Message, Oddity},
    name::Domain,
    policy::Policy,
    spf::SpfReports,
    time::UnixTime,
    verdict::Verdict,
};

/// What the header and the body of a message take part in.
#[derive(Clone, Debug)]
pub(super) struct MessageParts {
    header_oddities: Vec<Oddity>,
    body_line_ends: BodyLineEnds,
    authors: Authors,
    has_ended: bool,
    dkim: Signed<dkim::Verifier, Vec<SignatureReport>>,
    arc: Signed<arc::Validator, ArcReport>,
    dmarc: DmarcPart,
}

/// DKIM or ARC: what waits for keys and for the end of the body, and what it comes to then.
#[derive(Clone, Debug)]
struct Signed<W, R> {
    waiting: Option<W>,
    keys: Option<dkim::Keys>,
    report: Option<R>,
}

/// DMARC: discovery, once it has ended, and what it left of the share.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcPart(Option<(Discovered, Share)>);

impl MessageParts {
    pub(super) fn new(policy: &Policy, header: &Header<'_>, now: UnixTime) -> Self {
        let authors = header.authors();
        Self {
            header_oddities: header.oddities_of_fields(),
            body_line_ends: BodyLineEnds::default(),
            has_ended: false,
            dkim: Signed::new(dkim::Verifier::new(&policy.dkim, header, authors.domains(), now)),
            arc: Signed::new(arc::Validator::new(&policy.dkim, header, now)),
            authors,
            dmarc: DmarcPart::default(),
        }
    }

    pub(super) fn body(&mut self, piece: &[u8]) {
        if !self.has_ended {
            self.body_line_ends.piece(piece);
            self.hash(piece);
        }
    }

    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    pub(super) fn whole_body(&mut self, whole: &Message<'_>) {
        if !self.has_ended {
            self.body_line_ends.whole(whole.body());
            self.hash(whole.body());
            self.has_ended = true;
        }
    }

    /// What was hashed of header and body.
    #[cfg(feature = "serde")]
    pub(super) fn hashes(&self) -> dkim::Hashes {
        let mut hashes = dkim::Hashes::default();
        self.dkim.waiting.iter().for_each(|verifier| verifier.add_hashes(&mut hashes));
        self.arc.waiting.iter().for_each(|validator| validator.add_hashes(&mut hashes));
        hashes
    }

    /// Puts hashes in the place of header and body, whose text is not here. The body has ended.
    #[cfg(feature = "serde")]
    pub(super) fn set_hashes(&mut self, hashes: &dkim::Hashes) {
        self.dkim.waiting.iter_mut().for_each(|verifier| verifier.set_hashes(hashes));
        self.arc.waiting.iter_mut().for_each(|validator| validator.set_hashes(hashes));
        self.has_ended = true;
    }

    pub(super) fn authors(&self) -> &Authors {
        &self.authors
    }

    /// The domains that DKIM may authenticate.
    pub(super) fn signing_domains(&self) -> impl Iterator<Item = Domain> {
        self.dkim.waiting.iter().flat_map(dkim::Verifier::signing_domains).cloned()
    }

    pub(super) fn discover(&mut self, log: &mut Log, at_hand: AtHand<'_>, policy: &Policy) {
        self.dmarc.discover(log, at_hand, policy, &self.authors);
    }

    fn hash(&mut self, piece: &[u8]) {
        if let Some(verifier) = &mut self.dkim.waiting {
            verifier.body(piece);
        }
        if let Some(validator) = &mut self.arc.waiting {
            validator.body(piece);
        }
    }

    pub(super) fn run_signed(&mut self, log: &mut Log, at_hand: AtHand<'_>, policy: &Policy) {
        let Policy { dkim, arc, budget, .. } = policy;
        self.dkim.run(
            |made| made(log, at_hand, Part::Dkim, budget.dkim),
            dkim::Verifier::keys,
            self.has_ended,
            |verifier, known, keys| verifier.finish(known, dkim, keys),
        );
        self.arc.run(
            |made| made(log, at_hand, Part::Arc, budget.arc),
            arc::Validator::keys,
            self.has_ended,
            |validator, known, keys| validator.finish(known, arc, dkim, keys),
        );
    }

    /// What DMARC makes of the others, once they are there.
    pub(super) fn conclude(
        &mut self,
        log: &mut Log,
        at_hand: AtHand<'_>,
        policy: &Policy,
        spf: &mut SpfReports,
    ) -> Option<Verdict> {
        let Self { dkim, arc, dmarc, authors, .. } = self;
        let (Some(signatures), Some(_)) = (&dkim.report, &arc.report) else { return None };
        let identifiers = Identifiers::gather(spf, signatures);
        let reports = dmarc.evaluate(log, at_hand, policy, authors, &identifiers)?;
        let (spf, dkim, arc) = (std::mem::take(spf), dkim.report.take()?, arc.report.take()?);
        let mut verdict = Verdict::new(spf, dkim, arc, reports.report);
        verdict.dmarc_rfc7489 = reports.rfc7489;
        verdict.oddities = std::mem::take(&mut self.header_oddities);
        verdict.oddities.extend(self.body_line_ends.oddity());
        verdict.oddities.extend(self.authors.oddities());
        Some(verdict)
    }
}

/// How a run is begun, or gone on with.
type Made<'k> = fn(&'k mut Log, AtHand<'k>, Part, Share) -> Known<'k>;

impl<W, R> Signed<W, R> {
    fn new(waiting: W) -> Self {
        Self { waiting: Some(waiting), keys: None, report: None }
    }

    /// Asks for the keys, and finishes with them once the body has ended. What has finished asks nothing more, and begins no run.
    fn run<'k>(
        &mut self,
        known: impl FnOnce(Made<'k>) -> Known<'k>,
        keys: impl FnOnce(&W, &mut Known<'k>) -> Result<dkim::Keys, Unknown>,
        has_ended: bool,
        finish: impl FnOnce(W, &mut Known<'k>, &dkim::Keys) -> R,
    ) {
        let Some(waiting) = &self.waiting else { return };
        let known = &mut known(if self.keys.is_none() { Known::new } else { Known::going_on });
        if self.keys.is_none() {
            self.keys = keys(waiting, known).ok();
        }
        if let Some(keys) = self.keys.as_ref().filter(|_| has_ended) {
            self.report = self.waiting.take().map(|waiting| finish(waiting, known, keys));
        }
    }
}

impl DmarcPart {
    /// Finds the policy of the author domains, which needs neither SPF nor DKIM.
    pub(crate) fn discover(&mut self, log: &mut Log, at_hand: AtHand<'_>, policy: &Policy, authors: &Authors) {
        if self.0.is_none() {
            let known = &mut Known::new(log, at_hand, Part::Discovery, policy.budget.dmarc);
            let discovered = dmarc::discover(known, &policy.dmarc, authors).ok();
            self.0 = discovered.map(|discovered| (discovered, known.left()));
        }
    }

    /// What that comes to with what SPF and DKIM authenticated; `None` while an answer is missing.
    pub(crate) fn evaluate(
        &mut self,
        log: &mut Log,
        at_hand: AtHand<'_>,
        policy: &Policy,
        authors: &Authors,
        identifiers: &Identifiers,
    ) -> Option<dmarc::Reports> {
        let (discovered, left) = self.0.as_mut()?;
        let known = &mut Known::new(log, at_hand, Part::Alignment, *left);
        dmarc::evaluate(known, &policy.dmarc, authors, discovered, identifiers).ok()
    }
}

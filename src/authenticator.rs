//! The spine: one message in, one verdict out.

use crate::{
    arc,
    budget::Purse,
    dkim, dmarc,
    dns::{
        Resolver,
        inquiry::{Evaluation, Inquiry, Reading as _},
    },
    join::{beside, join},
    message::{Authors, Message},
    policy::Policy,
    session::Session,
    spf,
    time::UnixTime,
    verdict::Verdict,
};
use std::{future::Future, pin::pin, sync::Arc};

/// Evaluates messages. Make one and keep it: it may serve any number of messages, from any number of threads.
///
/// It remembers what it read of the answers met last, with keys made ready, and what SPF and DMARC came to: 1024 of each kind, which is a
/// few MB for usual mail and 220 MB at most. How long an answer is good for is the resolver's business.
#[derive(Debug)]
pub struct Authenticator<R> {
    resolver: R,
    policy: Policy,
    keys: dkim::KeyMemory,
    spf_memory: spf::Memory,
    dmarc_memory: dmarc::Memory,
}

impl<R: Resolver> Authenticator<R> {
    /// With the default [`Policy`].
    pub fn new(resolver: R) -> Self {
        Self {
            resolver,
            policy: Policy::default(),
            keys: dkim::KeyMemory::default(),
            spf_memory: spf::Memory::default(),
            dmarc_memory: dmarc::Memory::default(),
        }
    }

    /// With another policy.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        // What is remembered was read under the old policy.
        Self { policy, ..Self::new(self.resolver) }
    }

    /// SPF, DKIM, ARC and DMARC of one message. Never fails: what goes wrong is a result of the protocol it belongs to.
    ///
    /// `session` is what the SMTP session showed; the address of the client alone will do.
    ///
    /// ```
    /// use mailverdict::{Authenticator, Message, dmarc::Disposition, dns::Zone};
    /// use std::net::IpAddr;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject\"", "contoso.zone")?;
    /// let message = Message::parse(b"From: Alice <alice@contoso.com>\r\n\r\nPay this at once!\r\n")?;
    /// let peer_ip: IpAddr = "192.0.2.66".parse()?;
    /// let verdict = Authenticator::new(zone).authenticate(&message, peer_ip).await;
    /// assert_eq!(verdict.dmarc.result.keyword(), "fail");
    /// assert_eq!(verdict.dmarc.disposition, Disposition::Reject);
    /// # Ok(())
    /// # }
    /// ```
    pub fn authenticate<'a>(
        &'a self,
        message: &'a Message<'a>,
        session: impl Into<Session>,
    ) -> impl Future<Output = Verdict> + Send + 'a {
        let session = session.into();
        async move { self.explain(message, &session, &mut spf::Observers { helo: (), mail_from: () }).await }
    }

    /// [`authenticate`](Self::authenticate), and tells `observers` how SPF came to its results.
    pub async fn explain<O: spf::Observe>(
        &self,
        message: &Message<'_>,
        session: &Session,
        observers: &mut spf::Observers<O>,
    ) -> Verdict {
        let policy = &self.policy;
        let mut inquiry = self.inquiry();
        // Each result is put where it is kept: handed on from future to future, it would be copied each time.
        let mut spf = spf::SpfReports::default();
        let mut dkim = Vec::new();
        let mut evidence = arc::Evidence::default();
        let authors = message.header().authors();
        let reverse_path = spf::ReversePath::of(session, Some(message.header()));
        let subjects = spf::Subjects::of(session, &reverse_path);
        subjects.recall::<O>(&self.spf_memory, |grounds| inquiry.confirms_evidence(grounds), &mut spf);
        let (resolver, policy_resolver) = (&inquiry.evidence(), &inquiry.policy());
        let for_discovery = &policy_resolver.of(Evaluation::Discovery);
        let for_conclusion = &policy_resolver.of(Evaluation::Conclusion);
        let spf_sources = spf::Sources {
            helo: &resolver.of(Evaluation::Helo),
            mail_from: &resolver.of(Evaluation::MailFrom),
            ahead: &inquiry.ahead(),
            memory: &self.spf_memory,
        };
        let now = session.received_at;
        let mut purse = Purse::of(&policy.budget);
        let (dmarc, dmarc_rfc7489) = {
            let main = pin!(async {
                let mut answers = dmarc::Answers::new(&self.dmarc_memory);
                {
                    let (domains, purse) = (authors.domains(), &mut purse);
                    let spf = pin!(spf::check(&spf_sources, &policy.spf, session, &subjects, observers, &mut spf));
                    let dkim = pin!(async {
                        dkim = dkim::verify_all(resolver, &self.keys, &policy.dkim, message, domains, now, purse).await;
                    });
                    let evidence = pin!(async {
                        evidence = arc::gather(resolver, &self.keys, &policy.dkim, message, now).await;
                    });
                    let discovery = pin!(async {
                        // Not before SPF, or who pays for a question that both ask would depend on what is remembered.
                        answers.recall(&policy.dmarc, &authors, |grounds| for_discovery.confirms_all(grounds));
                        dmarc::discover(for_discovery, &policy.dmarc, &authors, &mut answers).await;
                    });
                    join(spf, pin!(join(discovery, pin!(join(dkim, evidence))))).await;
                }
                let offers = dmarc::offers(&spf, &dkim);
                dmarc::evaluate(for_conclusion, &policy.dmarc, &authors, &mut answers, offers).await
            });
            let ahead = async || {
                if self.policy.dmarc.asks_ahead {
                    dmarc::ask_ahead(&inquiry.ahead(), &policy.dmarc, &authors, message.header(), session).await;
                }
            };
            beside(main, ahead).await
        };
        // DKIM draws on the budget before ARC, whichever has its keys first: DMARC needs the one alone, and a result must not depend on
        // the order of answers.
        let arc = evidence.conclude(&policy.arc, &policy.dkim, &mut purse);
        let mut verdict = Verdict::new(spf, dkim, arc, dmarc);
        verdict.dmarc_rfc7489 = dmarc_rfc7489;
        verdict.findings = message.findings();
        verdict.findings.extend(authors.findings());
        verdict
    }

    /// SPF alone, for which no message is needed: without one, a reverse-path that the session does not know is not checked.
    pub async fn check_spf<O: spf::Observe>(
        &self,
        session: &Session,
        observers: &mut spf::Observers<O>,
    ) -> spf::SpfReports {
        let mut inquiry = self.inquiry();
        let mut reports = spf::SpfReports::default();
        let reverse_path = spf::ReversePath::of(session, None);
        let subjects = spf::Subjects::of(session, &reverse_path);
        subjects.recall::<O>(&self.spf_memory, |grounds| inquiry.confirms_evidence(grounds), &mut reports);
        if subjects.are_reported(&reports) {
            return reports;
        }
        let (resolver, ahead) = (inquiry.evidence(), &inquiry.ahead());
        let (helo, mail_from) = (&resolver.of(Evaluation::Helo), &resolver.of(Evaluation::MailFrom));
        let sources = spf::Sources { helo, mail_from, ahead, memory: &self.spf_memory };
        spf::check(&sources, &self.policy.spf, session, &subjects, observers, &mut reports).await;
        reports
    }

    /// DKIM alone, at the time `now`.
    pub async fn check_dkim(&self, message: &Message<'_>, now: UnixTime) -> Vec<dkim::SignatureReport> {
        let (inquiry, Policy { dkim, budget, .. }) = (self.inquiry(), &self.policy);
        let authors = message.header().authors();
        let purse = &mut Purse::of(budget);
        dkim::verify_all(&inquiry.evidence(), &self.keys, dkim, message, authors.domains(), now, purse).await
    }

    /// ARC alone, at the time `now`.
    pub async fn check_arc(&self, message: &Message<'_>, now: UnixTime) -> arc::ArcReport {
        let (inquiry, Policy { arc, dkim, budget, .. }) = (self.inquiry(), &self.policy);
        let evidence = arc::gather(&inquiry.evidence(), &self.keys, dkim, message, now).await;
        evidence.conclude(arc, dkim, &mut Purse::of(budget))
    }

    /// DMARC alone, from what SPF and DKIM say of the message.
    pub async fn check_dmarc(
        &self,
        authors: &Authors,
        spf: &spf::SpfReports,
        dkim: &[dkim::SignatureReport],
    ) -> Arc<dmarc::DmarcReport> {
        let (mut inquiry, policy) = (self.inquiry(), &self.policy.dmarc);
        let (memory, offers) = (&self.dmarc_memory, dmarc::offers(spf, dkim));
        let mut confirms = |grounds| inquiry.confirms_policy(grounds);
        if let Some(report) = dmarc::recall(memory, policy, authors, offers, &mut confirms) {
            return report;
        }
        let mut answers = dmarc::Answers::new(memory);
        answers.recall(policy, authors, confirms);
        let for_discovery = &inquiry.policy().of(Evaluation::Discovery);
        let for_conclusion = &inquiry.policy().of(Evaluation::Conclusion);
        let main = pin!(async {
            dmarc::discover(for_discovery, policy, authors, &mut answers).await;
            dmarc::evaluate(for_conclusion, policy, authors, &mut answers, dmarc::offers(spf, dkim)).await.0
        });
        let ahead = async || {
            if self.policy.dmarc.asks_ahead {
                let identifiers = dmarc::offers(spf, dkim).filter_map(|offer| offer.domain());
                dmarc::ask_for(&inquiry.ahead(), policy, authors, identifiers).await;
            }
        };
        beside(main, ahead).await
    }

    /// The questions of one message.
    fn inquiry(&self) -> Inquiry<'_, R> {
        let Policy { budget, time_limit, question_time_limit, .. } = &self.policy;
        Inquiry::new(&self.resolver, budget, *time_limit, *question_time_limit)
    }
}

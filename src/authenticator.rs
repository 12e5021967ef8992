//! One message in, one verdict out, over an asynchronous resolver.

use crate::{
    arc,
    budget::{OCTETS_AHEAD, Share},
    dkim::{self, SignatureReport},
    dmarc::{self, Identifiers},
    dns::{Question, Resolver},
    driver::{Clock, Run, drive, drive_at_once},
    evaluation::{DmarcPart, Evaluation, SpfPart},
    finding,
    known::{Ahead, AtHand, Known, Log, Part, Unknown},
    message::{Authors, Message},
    policy::Policy,
    report::{Destination, ReportKind, destinations},
    session::Session,
    spf,
    time::UnixTime,
    verdict::Verdict,
};
use std::{borrow::Cow, future::Future};

/// Evaluates messages. Make one and keep it: it may serve any number of messages, from any number of threads. It remembers nothing; how
/// long an answer is good for, and what was read of it, is the resolver's business.
#[derive(Debug)]
pub struct Authenticator<R> {
    resolver: R,
    policy: Policy,
}

impl<R: Resolver> Authenticator<R> {
    /// With the default [`Policy`].
    pub fn new(resolver: R) -> Self {
        Self { resolver, policy: Policy::default() }
    }

    /// With another policy.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
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
        async move { self.evaluate(&mut Evaluation::new(&self.policy, session), message).await }
    }

    /// [`authenticate`](Self::authenticate), and tells `observers` how SPF came to its results; with all that was asked.
    pub async fn explain<O: spf::Observe>(
        &self,
        message: &Message<'_>,
        session: impl Into<Session>,
        observers: &mut spf::Observers<O>,
    ) -> (Verdict, Log) {
        let mut evaluation = Evaluation::new(&self.policy, session);
        let verdict = self.evaluate(&mut evaluation, message).await;
        if O::LISTENS {
            evaluation.explain(observers);
        }
        self.read_beside(&mut evaluation.log, &verdict);
        (verdict, evaluation.log)
    }

    /// The same without observers, and with an answer to each question: those that were asked ahead and in vain are waited for as well,
    /// for as long again as an evaluation may take. For `evidence::Evidence`, in which somebody may look for what was not needed here.
    pub async fn explain_all(&self, message: &Message<'_>, session: impl Into<Session>) -> (Verdict, Log) {
        let mut evaluation = Evaluation::new(&self.policy, session);
        let verdict = self.evaluate(&mut evaluation, message).await;
        evaluation.log.ask_again();
        let run = |log: &mut Log, _: AtHand<'_>| if log.is_open() { Run::Waits } else { Run::Done(()) };
        drive(&self.resolver, &self.clock(), &mut evaluation.log, run).await;
        self.read_beside(&mut evaluation.log, &verdict);
        (verdict, evaluation.log)
    }

    /// What is at hand beside, for those who explain a verdict.
    fn read_beside(&self, log: &mut Log, verdict: &Verdict) {
        finding::read_for(verdict, log, &|question: &Question| self.resolver.at_hand(question));
    }

    async fn evaluate(&self, evaluation: &mut Evaluation<'_>, message: &Message<'_>) -> Verdict {
        let Evaluation { parts, log } = evaluation;
        parts.header(message.header());
        let mut has_body = false;
        let clock = self.clock();
        let verdict = drive(&self.resolver, &clock, log, |log, at_hand| {
            if !has_body {
                // What the header asks is on its way while the body is hashed.
                has_body = true;
                parts.run(log, at_hand);
                parts.whole_body(message);
                if log.is_open() {
                    return Run::HasWork;
                }
            }
            parts.run(log, at_hand).map_or(Run::Waits, Run::Done)
        });
        verdict.await
    }

    /// The verdict on one message at once, for resolvers that answer without waiting, as a [`Zone`](crate::dns::Zone) does, and for
    /// programs without a runtime. A question whose answer has to be waited for is answered by
    /// [`LookupError::OutOfTime`](crate::dns::LookupError::OutOfTime).
    ///
    /// ```
    /// use mailverdict::{Authenticator, Message, dns::Zone};
    /// use std::net::Ipv4Addr;
    /// let zone = Zone::parse("contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"", "contoso.zone").unwrap();
    /// let message = Message::parse(b"Return-Path: <alice@contoso.com>\r\nFrom: Alice <alice@contoso.com>\r\n\r\nHello\r\n")?;
    /// let verdict = Authenticator::new(zone).authenticate_at_once(&message, Ipv4Addr::new(192, 0, 2, 1));
    /// assert_eq!(verdict.spf.mail_from.unwrap().result.keyword(), "pass");
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn authenticate_at_once(&self, message: &Message<'_>, session: impl Into<Session>) -> Verdict {
        let mut evaluation = Evaluation::new(&self.policy, session);
        evaluation.message(message);
        let Evaluation { parts, log } = &mut evaluation;
        let run = |log: &mut Log, at_hand: AtHand<'_>| parts.run(log, at_hand).map_or(Run::Waits, Run::Done);
        drive_at_once(&self.resolver, log, run)
    }

    /// SPF alone, for which no message is needed: a reverse-path that the session does not know is not checked.
    pub async fn check_spf<O: spf::Observe>(
        &self,
        session: &Session,
        observers: &mut spf::Observers<O>,
    ) -> spf::SpfReports {
        self.spf(session, observers).await.0
    }

    /// [`check_spf`](Self::check_spf), with all that was asked.
    pub async fn explain_spf<O: spf::Observe>(
        &self,
        session: &Session,
        observers: &mut spf::Observers<O>,
    ) -> (spf::SpfReports, Log) {
        let (reports, mut log) = self.spf(session, observers).await;
        finding::read_for_spf(&reports, &mut log, &|question: &Question| self.resolver.at_hand(question));
        (reports, log)
    }

    async fn spf<O: spf::Observe>(
        &self,
        session: &Session,
        observers: &mut spf::Observers<O>,
    ) -> (spf::SpfReports, Log) {
        let mut spf = SpfPart::new(&self.policy, Cow::Borrowed(session));
        let mut log = Log::new(self.policy.budget.questions_ahead, OCTETS_AHEAD);
        let run = |log: &mut Log, at_hand: AtHand<'_>| spf.run_alone(log, at_hand).map_or(Run::Waits, Run::Done);
        let reports = drive(&self.resolver, &self.clock(), &mut log, run).await;
        if O::LISTENS {
            spf.explain(&mut log, observers);
        }
        (reports, log)
    }

    /// DKIM alone, at the time `now`.
    pub async fn check_dkim(&self, message: &Message<'_>, now: UnixTime) -> Vec<SignatureReport> {
        let Policy { dkim, budget, .. } = &self.policy;
        let authors = message.header().authors();
        let mut verifier = dkim::Verifier::new(dkim, message.header(), authors.domains(), now);
        let keys = self.ask(Part::Dkim, budget.dkim, |known| verifier.keys(known)).await;
        verifier.body(message.body());
        verifier.finish(&mut Known::new(&mut Log::default(), &|_| None, Part::Dkim, budget.dkim), dkim, &keys)
    }

    /// ARC alone, at the time `now`.
    pub async fn check_arc(&self, message: &Message<'_>, now: UnixTime) -> arc::ArcReport {
        let Policy { arc, dkim, budget, .. } = &self.policy;
        let mut validator = arc::Validator::new(dkim, message.header(), now);
        let keys = self.ask(Part::Arc, budget.arc, |known| validator.keys(known)).await;
        validator.body(message.body());
        validator.finish(&mut Known::new(&mut Log::default(), &|_| None, Part::Arc, budget.arc), arc, dkim, &keys)
    }

    /// DMARC alone, from what SPF and DKIM say of the message.
    pub async fn check_dmarc(
        &self,
        authors: &Authors,
        spf: &spf::SpfReports,
        dkim: &[SignatureReport],
    ) -> dmarc::DmarcReport {
        let policy = &self.policy;
        let identifiers = Identifiers::gather(spf, dkim);
        let log = &mut Log::new(policy.budget.questions_ahead, OCTETS_AHEAD);
        let mut part = DmarcPart::default();
        drive(&self.resolver, &self.clock(), log, |log, at_hand| {
            part.discover(log, at_hand, policy, authors);
            if let Some(reports) = part.evaluate(log, at_hand, policy, authors, &identifiers) {
                return Run::Done(reports.report);
            }
            if policy.dmarc.asks_ahead {
                dmarc::ask_ahead(&mut Ahead::new(log, at_hand), &policy.dmarc, authors, identifiers.domains());
            }
            Run::Waits
        })
        .await
    }

    /// Where the reports that a record asks for may be sent (RFC 9990 §4); asks the destination hosts for their permission where it is
    /// needed, all of them side by side and each once.
    ///
    /// Not a part of evaluating a message: for those who send reports. Organizational domains are found by the tree walk.
    ///
    /// ```
    /// # use mailverdict::{Authenticator, dmarc::DmarcReport, dns::Resolver, report::ReportKind};
    /// # async fn example<R: Resolver>(authenticator: &Authenticator<R>, report: &DmarcReport) {
    /// if let Some(record) = &report.record {
    ///     for destination in authenticator.report_destinations(record, ReportKind::Aggregate).await {
    ///         println!("{}: {:?}", destination.uri, destination.permission);
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn report_destinations(&self, published: &dmarc::PublishedRecord, kind: ReportKind) -> Vec<Destination> {
        let share = self.policy.budget.dmarc;
        self.ask(Part::Discovery, share, |known| destinations(known, published, kind)).await
    }

    /// Asks whatever `rule` asks, until it comes to its end.
    async fn ask<T>(&self, part: Part, share: Share, mut rule: impl FnMut(&mut Known<'_>) -> Result<T, Unknown>) -> T {
        drive(&self.resolver, &self.clock(), &mut Log::default(), |log, at_hand| {
            rule(&mut Known::new(log, at_hand, part, share)).map_or(Run::Waits, Run::Done)
        })
        .await
    }

    fn clock(&self) -> Clock {
        Clock::new(self.policy.time_limit, self.policy.question_time_limit)
    }
}

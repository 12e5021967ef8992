//! Whether mail would pass, before it is sent: directly, forwarded, through a list; and what large receivers would say.
//!
#![doc = include_str!("../../docs/preflight.md")]

mod demand;
mod facts;
mod form;
mod judge;
mod judgement;
mod list;
mod looks;
mod mail;
mod plan;
mod planned;
mod planned_key;
mod planned_signature;
mod report;
mod unsubscribe;
mod way;

pub use demand::Receiver;
pub use plan::{MAX_SIGNATURES, Plan, PlanError, PlannedKey};
pub use report::{Outcome, Report, Requirement};

use crate::{
    authenticator::Authenticator,
    dns::Resolver,
    lint::{Lint, Scope},
    message::Message,
    policy::Policy,
    spf::Observers,
};
use demand::DEMANDS;
use facts::Facts;
use judge::judge;
use looks::Looks;
use mail::Mail;
use planned::Planned;
use way::Way;

/// Evaluates mail that is planned. Make one and keep it.
///
/// ```
/// use mailverdict::{dns::Zone, preflight::{Plan, Preflight}};
/// use std::net::Ipv4Addr;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let zone = Zone::parse(
///     "contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc.contoso.com. TXT \"v=DMARC1; p=reject\"",
///     "contoso.zone",
/// )?;
/// let plan = Plan::new("alice@contoso.com", Ipv4Addr::new(192, 0, 2, 1))?;
/// let report = Preflight::new(zone).look(&plan).await;
/// assert_eq!((report.direct.dmarc(), report.forwarded.dmarc()), ("pass", "fail"));
/// let unmet = report.requirements.iter().find(|requirement| requirement.id == "google-ptr").unwrap();
/// assert_eq!((unmet.is_met, unmet.reply), (Some(false), Some("5.7.25")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Preflight<R> {
    lint: Lint<R>,
    policy: Policy,
}

impl<R: Resolver> Preflight<R> {
    /// With the default [`Policy`].
    pub fn new(resolver: R) -> Self {
        Self { lint: Lint::new(resolver), policy: Policy::default() }
    }

    /// With other limits of time, or other editions of DMARC.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { lint: self.lint.with_policy(policy.clone()), policy }
    }

    /// Evaluates the mail on each of its ways, with the rules that receivers follow, and looks at what its domains publish. Never fails:
    /// what cannot be asked is a finding, or temperror.
    pub async fn look(&self, plan: &Plan) -> Report {
        let author = self.lint.look(&scope(plan)).await;
        let return_path = match plan.return_domain().filter(|domain| domain != plan.author()) {
            Some(domain) => Some(self.lint.look(&Scope::of(domain).at(plan.time())).await),
            None => None,
        };
        let mail = Mail::of(plan, &author);
        let planned = Planned { plan, before: author.log(), resolver: self.lint.resolver() };
        let policy = Policy { dkim: planned_key::policy(&self.policy.dkim), ..self.policy.clone() };
        let authenticator = Authenticator::new(planned).with_policy(policy);
        let evaluated = async |way: Way| {
            let message = mail.on(way);
            let observers = &mut Observers { helo: (), mail_from: () };
            let (verdict, log) = authenticator.explain(&message, way.session(plan), observers).await;
            (Outcome::of(way, verdict), log)
        };
        let (direct, log) = evaluated(Way::Direct).await;
        let [forwarded, rewritten, list] =
            [evaluated(Way::Forwarded).await.0, evaluated(Way::Rewritten).await.0, evaluated(Way::List).await.0];
        let looks = Looks { author, return_path };
        let message = mail.on(Way::Direct);
        let findings = looks.findings(plan, &direct.verdict, mail.planned, &log, message.header());
        let log = looks.log(&log);
        let facts = Facts {
            plan,
            direct: &direct,
            header: message.header(),
            planned: mail.planned,
            looks: &looks,
            findings: &findings,
        };
        let requirements = DEMANDS.iter().map(|demand| judge(&facts, demand)).collect();
        Report { direct, forwarded, rewritten, list, requirements, findings, log }
    }
}

/// What is to be looked at of the author domain.
fn scope(plan: &Plan) -> Scope {
    let scope = Scope::of(plan.author().clone()).with_sender(plan.ip()).at(plan.time());
    let scope =
        plan.signatures().iter().fold(scope, |scope, key| scope.with_key(key.domain(), key.selector(), key.name()));
    match plan.message().map(Message::parse) {
        Some(Ok(message)) => scope.with_message(message.header()),
        Some(Err(_)) | None => scope,
    }
}

//! SPF with answers that have to be waited for: what is asked side by side, and that no result depends on it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/late.rs"]
mod late;
#[path = "support/recording.rs"]
#[allow(dead_code, unreachable_pub)]
mod recording;

use late::{Arrival, Late};
use mailverdict::{
    Authenticator, Policy, Session,
    dns::Zone,
    spf::{Observers, SpfReports, Tree},
};
use recording::Recording;
use std::{collections::HashSet, fmt::Write as _, net::Ipv4Addr};

const ZONE: &str = r#"
$ORIGIN example.
google        TXT "v=spf1 include:_spf.google.example ~all"
_spf.google   TXT "v=spf1 include:n1.google.example include:n2.google.example include:n3.google.example ~all"
n1.google     TXT "v=spf1 ip4:198.18.0.0/20 ~all"
n2.google     TXT "v=spf1 ip4:198.18.64.0/20 ~all"
n3.google     TXT "v=spf1 ip4:192.0.2.0/24 ~all"
; Each include has an include of its own, and a redirect waits behind them.
wide          TXT "v=spf1 include:a.wide.example include:b.wide.example include:c.wide.example redirect=d.wide.example"
a.wide        TXT "v=spf1 include:n1.google.example -all"
b.wide        TXT "v=spf1 include:n2.google.example -all"
c.wide        TXT "v=spf1 include:a.mx.example -all"
a.mx          TXT "v=spf1 -all"
d.wide        TXT "v=spf1 ip4:192.0.2.1 -all"
mx            TXT "v=spf1 mx -all"
              MX 1 h1.mx
              MX 2 h2.mx
              MX 3 h3.mx
h1.mx         A 198.51.100.1
h2.mx         A 198.51.100.2
h3.mx         A 192.0.2.1
ptr           TXT "v=spf1 ptr -all"
host.ptr      A 192.0.2.1
other.ptr     A 198.51.100.1
third.ptr     A 198.51.100.1
terms         TXT "v=spf1 a:h1.mx.example exists:%{ir}.%{d} a:h2.mx.example ptr:elsewhere.example mx:mx.example -all"
; The client matches before the terms that cost much.
early         TXT "v=spf1 a:h1.mx.example ip4:192.0.2.0/24 include:n1.google.example mx:mx.example -all"
; What is named by %{p} is not known before its time.
named         TXT "v=spf1 exists:%{p}.yes.example include:n3.google.example -all"
third.ptr.example.yes A 127.0.0.2
; What explains the result is asked ahead for another reason, and may be open when it is wanted.
explained     TXT "v=spf1 -a:h3.mx.example include:reason.example ptr:elsewhere.example -all exp=reason.example"
reason        TXT "go away, %{p}"
$ORIGIN 2.0.192.in-addr.arpa.
1             PTR other.ptr.example.
1             PTR third.ptr.example.
1             PTR host.ptr.example.
"#;

fn zone() -> Zone {
    Zone::parse(ZONE, "ahead.zone").unwrap()
}

fn session(domain: &str) -> Session {
    Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from(&format!("a@{domain}"))
}

fn policy(questions_ahead: usize) -> Policy {
    let mut policy = Policy::default();
    policy.budget.questions_ahead = questions_ahead;
    policy
}

/// What came out, how the evaluation went, and how many rounds it took.
fn check(arrival: Arrival, domain: &str, policy: Policy) -> (SpfReports, String, usize) {
    let late = Late::new(zone());
    let mut trees = Observers::<Tree>::default();
    let authenticator = Authenticator::new(&late).with_policy(policy);
    let (reports, rounds) = late.run(arrival, authenticator.check_spf(&session(domain), &mut trees));
    (reports, trees.mail_from.to_string(), rounds)
}

/// As many rounds as the longest chain of answers that wait for answers, and not one for each question.
#[test]
fn terms_of_a_record_are_asked_side_by_side() {
    for (domain, result, rounds, one_by_one) in [
        ("google.example", "pass", 3, 5),
        ("wide.example", "pass", 3, 8),
        ("mx.example", "pass", 3, 5),
        ("ptr.example", "pass", 3, 5),
        ("terms.example", "pass", 3, 10),
        ("early.example", "pass", 2, 2),
    ] {
        let (reports, tree, taken) = check(Arrival::Together, domain, Policy::default());
        assert_eq!(reports.mail_from.as_ref().unwrap().result.keyword(), result, "{domain}");
        assert_eq!(taken, rounds, "{domain}\n{tree}");
        assert_eq!(check(Arrival::Together, domain, policy(0)), (reports, tree, one_by_one), "{domain}");
    }
}

#[test]
fn no_result_and_no_count_depends_on_the_order_of_arrival() {
    for domain in ["google", "wide", "mx", "ptr", "terms", "early", "named", "explained"] {
        let domain = format!("{domain}.example");
        let (reports, tree, _) = check(Arrival::Together, &domain, policy(0));
        let shuffled = (0..20).map(Arrival::Shuffled);
        for arrival in [Arrival::Together, Arrival::First, Arrival::Last].into_iter().chain(shuffled) {
            let (late, drawn, _) = check(arrival, &domain, Policy::default());
            assert_eq!((&late, &drawn), (&reports, &tree), "{domain} {arrival:?}");
        }
    }
}

/// The network that matches ends the evaluation, so that nothing behind it is asked ahead.
#[test]
fn what_stands_behind_a_match_is_not_asked() {
    let late = Late::new(zone());
    let recording = Recording::new(&late);
    let authenticator = Authenticator::new(&recording);
    let mut trees = Observers::<Tree>::default();
    late.run(Arrival::Together, authenticator.check_spf(&session("early.example"), &mut trees));
    let asked: Vec<_> = recording.exchanges().iter().map(|exchange| exchange.question.to_string()).collect();
    assert_eq!(asked, ["early.example TXT", "h1.mx.example A"]);
}

#[test]
fn each_question_is_asked_once() {
    for domain in ["google", "wide", "mx", "ptr", "terms", "named", "explained"] {
        let late = Late::new(zone());
        let recording = Recording::new(&late);
        let authenticator = Authenticator::new(&recording);
        let session = session(&format!("{domain}.example")).with_helo(&format!("{domain}.example"));
        let mut trees = Observers::<Tree>::default();
        late.run(Arrival::Last, authenticator.check_spf(&session, &mut trees));
        let exchanges = recording.exchanges();
        let distinct: HashSet<_> = exchanges.iter().map(|exchange| &exchange.question).collect();
        assert_eq!(distinct.len(), exchanges.len(), "{domain}: {exchanges:#?}");
    }
}

/// What was asked ahead is paid for when it is needed: a budget that runs out does so at the same term as without it.
#[test]
fn no_budget_runs_out_for_what_was_asked_ahead() {
    for domain in ["google.example", "wide.example", "terms.example"] {
        for (questions, octets) in (0..14).map(|n| (n, 1 << 20)).chain((0..400).step_by(7).map(|n| (100, n))) {
            let limited = |questions_ahead| {
                let mut policy = policy(questions_ahead);
                (policy.budget.mail_from.questions, policy.budget.mail_from.octets) = (questions, octets);
                let (reports, tree, _) = check(Arrival::Together, domain, policy);
                (reports, tree)
            };
            assert_eq!(limited(60), limited(0), "{domain} with {questions} questions, {octets} octets");
        }
    }
}

/// A stranger's record makes its receiver ask no more in vain than the budget says.
#[test]
fn questions_in_vain_are_bounded() {
    let mut zone = String::new();
    for identity in ["helo", "from"] {
        // The first include ends it all; until its answer is there, the others are asked, and their ten hosts each.
        let mx: String = (0..9).map(|mx| format!(" mx:m{mx}.{identity}.example")).collect();
        writeln!(zone, "{identity}.example. TXT \"v=spf1 include:none.example{mx} -all\"").unwrap();
        for mx in 0..9 {
            for host in 0..10 {
                writeln!(zone, "m{mx}.{identity}.example. MX {host} h{host}.m{mx}.{identity}.example.").unwrap();
            }
        }
    }
    let zone = Zone::parse(&zone, "vain.zone").unwrap();
    for questions_ahead in [0, 1, 10, 60, 1000] {
        let late = Late::new(&zone);
        let recording = Recording::new(&late);
        let authenticator = Authenticator::new(&recording).with_policy(policy(questions_ahead));
        let session = session("from.example").with_helo("helo.example");
        let mut trees = Observers::<Tree>::default();
        let (reports, _) = late.run(Arrival::Last, authenticator.check_spf(&session, &mut trees));
        assert_eq!(reports.mail_from.unwrap().result.keyword(), "permerror");
        // The records of both and the target of the include are needed.
        let in_vain = recording.exchanges().len() - 3;
        assert!(in_vain <= questions_ahead, "{in_vain} of {questions_ahead}");
        assert!(questions_ahead > 60 || in_vain + 2 >= questions_ahead, "{in_vain} of {questions_ahead}");
    }
}

/// What is asked while the first term is waited for.
fn asked_ahead(record: &str, session: &Session) -> bool {
    let text =
        format!("from.example. TXT \"{record}\"\nlast.example. TXT \"v=spf1 -all\"\nfirst.example. A 198.51.100.1\n");
    let zone = Zone::parse(&text, "terms.zone").unwrap();
    let late = Late::new(&zone);
    let recording = Recording::new(&late);
    let authenticator = Authenticator::new(&recording);
    let mut trees = Observers::<Tree>::default();
    late.run(Arrival::Together, authenticator.check_spf(session, &mut trees));
    recording.exchanges().iter().any(|exchange| exchange.question.to_string() == "last.example TXT")
}

/// Terms that come to no question count among those that are looked at: with the first one and the last, ten.
#[test]
fn terms_that_come_to_no_question_are_looked_at_no_more_than_others() {
    for (term, local_part) in
        [("a:%{l}..x", "a"), ("exists:%{l}.x", "\u{fc}"), ("mx:x..x", "a"), ("a:first.example", "a")]
    {
        for (count, asks) in [(0, true), (8, true), (9, false), (200, false)] {
            let record = format!("v=spf1 a:first.example {} include:last.example", [term].repeat(count).join(" "));
            let session =
                Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from(&format!("{local_part}@from.example"));
            assert_eq!(asked_ahead(&record, &session), asks, "{count} of {term}");
        }
    }
}

/// To look through a record is to read it once more: of a large one, what it includes is asked when its turn comes.
#[test]
fn large_records_are_not_followed() {
    // 8192 octets at most, each term counted as 16 more.
    for (terms, rounds) in [(246, 3), (247, 4)] {
        let text = "from.example. TXT \"v=spf1 include:slow.example include:large.example -all\"\n\
                    slow.example. TXT \"v=spf1 include:end.example -all\"\n\
                    end.example. TXT \"v=spf1 -all\"\nlast.example. TXT \"v=spf1 +all\"\n";
        let mut zone = Zone::parse(text, "large.zone").unwrap();
        let terms = "ip4:198.51.100.1 ".repeat(terms);
        let record = format!("v=spf1 {terms}include:last.example -all");
        zone.add_txt(&"large.example".parse().unwrap(), record.into_bytes());
        let late = Late::new(&zone);
        let authenticator = Authenticator::new(&late);
        let mut trees = Observers::<Tree>::default();
        let (reports, taken) =
            late.run(Arrival::Together, authenticator.check_spf(&session("from.example"), &mut trees));
        assert_eq!(reports.mail_from.unwrap().result.keyword(), "pass");
        assert_eq!(taken, rounds);
    }
}

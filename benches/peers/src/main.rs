//! Prints the table: `peers [--rounds N] [--only NAME] [WORD...]`, with words only the cases whose names hold one of them, and with
//! `--only` the one contender, for a profiler.

use mailverdict_peers::{
    cases::{Task, cases},
    contender::Contender,
    ours::Ours,
    peer_mail_auth::MailAuth,
    rounds::measure,
};

fn main() {
    let mut rounds = 31;
    let mut only = None;
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            rounds = arguments.next().and_then(|number| number.parse().ok()).expect("--rounds takes a number");
        } else if argument == "--only" {
            only = arguments.next();
        } else {
            words.push(argument);
        }
    }
    let (cases, zone) = cases();
    let (mail_auth, ours) = (MailAuth::new(&zone), Ours::new(&zone));
    // The first is what the others are compared with.
    let mut contenders: Vec<&dyn Contender> = vec![&mail_auth, &ours];
    #[cfg(feature = "aws-lc")]
    let ours_with_aws_lc = Ours::with_aws_lc(&zone);
    #[cfg(feature = "aws-lc")]
    contenders.push(&ours_with_aws_lc);
    println!("| case | who | median ns | minimum ns | ratio |\n|---|---|--:|--:|--:|");
    for case in &cases {
        if !words.is_empty() && !words.iter().any(|word| case.name.contains(word)) {
            continue;
        }
        let (names, mut prepared): (Vec<_>, Vec<_>) = contenders
            .iter()
            .filter(|who| only.as_deref().is_none_or(|only| who.name() == only))
            .filter_map(|who| Some((who.name(), who.prepare(&case.task)?)))
            .unzip();
        let verdicts: Vec<String> = prepared.iter_mut().map(|who| who.verdict()).collect();
        for (name, verdict) in names.iter().zip(&verdicts) {
            assert_eq!(verdict, &verdicts[0], "{}: {name} says otherwise", case.name);
        }
        assert!(verdicts[0].contains("pass") || unsigned(&case.task), "{}: {}", case.name, verdicts[0]);
        let times = measure(&mut prepared, rounds);
        for (name, of_one) in names.iter().zip(&times) {
            println!(
                "| {} | {name} | {:.0} | {:.0} | {:.2} |",
                case.name,
                of_one.median(),
                of_one.minimum(),
                of_one.ratio_to(&times[0])
            );
        }
    }
}

fn unsigned(task: &Task) -> bool {
    matches!(task, Task::Dkim(raw) if !raw.contains("DKIM-Signature:"))
}

//! Prints the table: `peers [--rounds N] [--only NAME] [--summary|--json] [WORD...]`, with words only the cases whose names hold one
//! of them, and with `--only` the one contender, for a profiler. `--summary` prints the table of docs/performance.md, `--json` a line for
//! each contender and case. `peers --cold` measures over a DNS that takes its time.

use mailverdict_peers::{
    cases::{Case, Task, cases},
    cold,
    contender::{Contender, InTurn, Prepared},
    ours::Ours,
    peer_mail_auth::MailAuth,
    report::{Line, Measured, TABLE_HEAD, summary},
    rounds::measure,
    zone::Zone,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Table,
    Summary,
    Json,
}

fn main() {
    let mut rounds = 31;
    let mut only = None;
    let mut form = Form::Table;
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                rounds = arguments.next().and_then(|number| number.parse().ok()).expect("--rounds takes a number");
            }
            "--only" => only = arguments.next(),
            "--summary" => form = Form::Summary,
            "--json" => form = Form::Json,
            "--cold" => return cold::print(rounds),
            _ => words.push(argument),
        }
    }
    let (cases, zone) = cases();
    let mut contenders = contenders(&zone);
    if form == Form::Summary {
        // The table of docs/performance.md has no room for more.
        let first = contenders[0].name();
        contenders.retain(|who| who.name() == first || who.name().starts_with("mailverdict"));
    }
    if form == Form::Table {
        println!("{TABLE_HEAD}");
    }
    let mut all = Vec::new();
    for case in &cases {
        let is_named = words.is_empty() || words.iter().any(|word| case.name.contains(word));
        if !is_named || form == Form::Summary && case.goal.is_none() {
            continue;
        }
        let measured = of_case(case, &contenders, only.as_deref(), rounds);
        match form {
            Form::Table => println!("{}", measured.rows()),
            Form::Json => println!("{}", measured.json(rounds)),
            Form::Summary => all.push(measured),
        }
    }
    if form == Form::Summary {
        print!("{}", summary(&all));
    }
}

/// The first is what the others are compared with.
fn contenders(zone: &Zone) -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(MailAuth::new(zone)),
        Box::new(Ours::new(zone)),
        #[cfg(feature = "aws-lc")]
        Box::new(Ours::with_aws_lc(zone)),
        #[cfg(feature = "gpl-peers")]
        Box::new(mailverdict_peers::peer_viadkim::Viadkim::new(zone)),
        #[cfg(feature = "gpl-peers")]
        Box::new(mailverdict_peers::peer_viaspf::Viaspf::new(zone)),
    ]
}

/// All who can do it, once they agree.
fn of_case<'c>(case: &'c Case, contenders: &[Box<dyn Contender>], only: Option<&str>, rounds: usize) -> Measured<'c> {
    let (names, mut prepared): (Vec<_>, Vec<_>) = contenders
        .iter()
        .filter(|who| only.is_none_or(|only| who.name() == only))
        .filter_map(|who| Some((who.name(), prepare(who.as_ref(), case)?)))
        .unzip();
    let verdicts: Vec<String> = prepared.iter_mut().map(|who| who.verdict()).collect();
    for (name, verdict) in names.iter().zip(&verdicts) {
        assert_eq!(verdict, &verdicts[0], "{}: {name} says otherwise", case.name);
    }
    assert!(
        verdicts.iter().all(|verdict| verdict.contains("pass")) || unsigned(&case.tasks),
        "{}: {verdicts:?}",
        case.name
    );
    let times = measure(&mut prepared, rounds);
    let line = |(who, of_one): (&&'static str, &mailverdict_peers::rounds::Times)| Line {
        who: *who,
        median: of_one.median(),
        minimum: of_one.minimum(),
        ratio: of_one.ratio_to(&times[0]),
    };
    Measured { case, lines: names.iter().zip(&times).map(line).collect() }
}

fn prepare<'c>(who: &'c dyn Contender, case: &'c Case) -> Option<Box<dyn Prepared + 'c>> {
    let mut prepared: Vec<_> = case.tasks.iter().map(|task| who.prepare(task)).collect::<Option<_>>()?;
    if prepared.len() == 1 { prepared.pop() } else { Some(Box::new(InTurn::new(prepared))) }
}

fn unsigned(tasks: &[Task]) -> bool {
    tasks.iter().any(|task| matches!(task, Task::Dkim(raw) if !raw.contains("DKIM-Signature:")))
}

//! Prints what a day of mail costs: `day [--messages N] [--rounds N] [--seed N] [--octets N] [--only NAME] [--aws-lc] [--show N]`.
//!
//! `--octets` is the bound of each side's cache of texts, a quarter of which its caches of other records have; `--only` runs the one side,
//! for a profiler, `--aws-lc` brings mailverdict with AWS-LC besides, and `--show` prints a message of the stream and measures nothing.

use mailverdict_peers::day::{
    cache::Clock, held, measure::Day, ours::Ours, peer_mail_auth::MailAuth, side::Side, stream::Stream,
};
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let (mut messages, mut rounds, mut seed, mut octets) = (200_000, 24, 1, 64 << 20);
    let (mut only, mut has_aws_lc, mut show) = (None, false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok()).expect("a number after the option");
        match argument.as_str() {
            "--messages" => messages = number(),
            "--rounds" => rounds = number(),
            "--seed" => seed = number() as u64,
            "--octets" => octets = number(),
            "--only" => only = arguments.next(),
            "--show" => show = Some(number()),
            "--aws-lc" => has_aws_lc = true,
            other => panic!("{other} is no option"),
        }
    }
    let stream = Stream::new(seed, messages);
    if let Some(number) = show {
        held::show(&stream, number);
        return ExitCode::SUCCESS;
    }
    held::print(&stream);
    let clock = Arc::new(Clock::default());
    let mut sides: Vec<Box<dyn Side + '_>> = vec![
        Box::new(MailAuth::new(&stream.records, octets, &clock)),
        Box::new(Ours::new(&stream.records, octets, &clock)),
    ];
    #[cfg(feature = "aws-lc")]
    if has_aws_lc {
        sides.push(Box::new(Ours::with_aws_lc(&stream.records, octets, &clock)));
    }
    assert!(!has_aws_lc || cfg!(feature = "aws-lc"), "--aws-lc asks for the feature aws-lc");
    sides.retain(|side| only.as_ref().is_none_or(|only| side.name() == only));
    let day = Day::measure(&stream, &sides, &clock, rounds);
    day.print();
    if only.is_some() {
        return ExitCode::SUCCESS;
    }
    day.comparison.print();
    if day.comparison.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

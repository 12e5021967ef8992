//! The door, from both sides.

use super::*;
use crate::dns::{AnyAnswer, Details, RecordType, Records};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn question(of: &str) -> Question {
    Question { name: name(of), record_type: RecordType::Txt }
}

fn texts(octets: usize) -> AnyLookup {
    Ok(AnyAnswer::Txt(Answer::Records(Records::from([Box::from(vec![b'x'; octets])]))))
}

const SHARE: Share = Share { questions: 3, octets: 100, signatures: 0, work: 0 };

/// What a run that asks for the texts at these names is told of each, in one word.
fn run(log: &mut Log, part: Part, names: &[&str]) -> Vec<&'static str> {
    let mut known = Known::new(log, &|_| None, part, SHARE);
    let told = names.iter().map(|at| match known.txt(&name(at)) {
        Err(Unknown) => "unknown",
        Ok(Ok(_)) => "answer",
        Ok(Err(LookupError::OutOfQuestions)) => "no question",
        Ok(Err(LookupError::OutOfOctets)) => "no octet",
        Ok(Err(_)) => "error",
    });
    told.collect()
}

#[test]
fn what_is_not_known_is_written_down_once() {
    let mut log = Log::default();
    for part in [Part::Helo, Part::MailFrom, Part::Helo] {
        assert_eq!(run(&mut log, part, &["a", "A", "b"]), ["unknown"; 3]);
    }
    assert_eq!(log.hand_out(), [question("a"), question("b")]);
    assert_eq!(log.hand_out(), []);
    assert!(log.answered(&question("b"), texts(1), None));
    assert!(!log.answered(&question("b"), texts(2), None));
    assert!(!log.answered(&question("c"), texts(1), None));
    assert_eq!(run(&mut log, Part::Helo, &["a", "b"]), ["unknown", "answer"]);
    assert!(log.is_open());
    log.give_up(&LookupError::OutOfTime);
    assert_eq!(run(&mut log, Part::Helo, &["a", "b"]), ["error", "answer"]);
    assert!(!log.is_open());
}

#[test]
fn what_is_at_hand_is_known() {
    let mut log = Log::default();
    let at_hand = |asked: &Question| (*asked == question("a")).then(|| texts(1));
    let mut known = Known::new(&mut log, &at_hand, Part::Helo, SHARE);
    assert!(known.txt(&name("a")).is_ok_and(|answer| answer.is_ok()));
    assert_eq!(known.txt(&name("b")), Err(Unknown));
    assert_eq!(log.hand_out(), [question("b")]);
    assert!(log.entries().iter().all(Entry::is_needed));
}

#[test]
fn each_part_has_a_share_that_is_counted_from_zero_in_each_run() {
    let mut log = Log::default();
    let four = ["a", "b", "c", "d"];
    for part in [Part::Helo, Part::Helo, Part::MailFrom] {
        assert_eq!(run(&mut log, part, &four), ["unknown", "unknown", "unknown", "no question"]);
    }
    // The same question is one question.
    assert_eq!(run(&mut log, Part::Helo, &["a", "a", "a", "a", "b", "c"]), ["unknown"; 6]);
    assert_eq!(log.entries().len(), 3);
}

#[test]
fn an_answer_that_cannot_be_afforded_is_refused_each_time_and_leaves_nothing() {
    let mut log = Log::default();
    let (four, all) = (["a", "b", "a", "c"], ["no octet", "no octet", "no octet"]);
    assert_eq!(run(&mut log, Part::Dkim, &four), ["unknown"; 4]);
    for (at, octets) in [("a", 100), ("b", 1), ("c", 101)] {
        assert!(log.answered(&question(at), texts(octets), None));
    }
    for _ in 0..2 {
        assert_eq!(run(&mut log, Part::Dkim, &four), ["answer", "no octet", "answer", "no octet"]);
        // Another part is told of all that it can afford.
        assert_eq!(run(&mut log, Part::Arc, &["b", "a", "b"]), ["answer", "no octet", "answer"]);
        assert_eq!(run(&mut log, Part::Arc, &["c", "a", "c"]), all);
    }
}

#[test]
fn an_answer_of_another_type_is_none() {
    let mut log = Log::default();
    assert_eq!(run(&mut log, Part::Helo, &["a"]), ["unknown"]);
    assert!(log.answered(&question("a"), Ok(AnyAnswer::A(Answer::NoData(Details::default()))), None));
    let mut known = Known::new(&mut log, &|_| None, Part::Helo, SHARE);
    assert_eq!(known.txt(&name("a")), Ok(Err(LookupError::Malformed)));
}

#[test]
fn what_is_asked_ahead_has_an_allowance_and_counts_when_it_is_needed() {
    let mut log = Log::new(2, 10);
    let mut ahead = Ahead::new(&mut log, &|_| None);
    for at in ["a", "b", "a", "c"] {
        assert_eq!(ahead.ask::<Box<[u8]>>(&name(at)), None);
    }
    assert_eq!(log.hand_out(), [question("a"), question("b")]);
    assert!(!log.entries().iter().any(Entry::is_needed));
    assert!(log.answered(&question("a"), texts(10), None));
    // The octets are used up.
    assert_eq!(Ahead::new(&mut log, &|_| Some(texts(1))).ask::<Box<[u8]>>(&name("c")), None);
    assert_eq!(run(&mut log, Part::Helo, &["a", "b", "c", "d"]), ["answer", "unknown", "unknown", "no question"]);
    assert!(log.entries().iter().all(Entry::is_needed));
}

#[test]
fn an_entry_tells_by_which_way_its_answer_came() {
    let mut log = Log::default();
    for (part, names) in [(Part::Dkim, &["a", "b", "c"][..]), (Part::Arc, &["d", "e"])] {
        run(&mut log, part, names);
    }
    let told = |aliases: &[&str]| Details::default().with_ttl(60).with_aliases(aliases.iter().map(|at| name(at)));
    let text = Answer::Records(Records::from([Box::from(*b"v=DKIM1")]));
    for (at, answer) in [
        ("a", text.clone().with_details(told(&["x.example", "y.example"]))),
        ("b", Answer::NoData(told(&["x.example"]))),
        ("c", Answer::NxDomain(told(&["\u{1b}[2j\n.example", "."]))),
        // A resolver that tells nothing.
        ("d", text),
    ] {
        assert!(log.answered(&question(at), Ok(AnyAnswer::Txt(answer)), None));
    }
    let shown: Vec<_> = log.entries().iter().map(ToString::to_string).collect();
    let wanted = [
        "a TXT by way of x.example, y.example: \"v=DKIM1\"",
        "b TXT by way of x.example: no such record",
        "c TXT by way of \\u{1b}[2j\\n.example, .: no such name",
        "d TXT: \"v=DKIM1\"",
        "e TXT: not waited for",
    ];
    assert_eq!(shown, wanted);
    let ways: Vec<_> = log.entries().iter().map(|entry| (entry.aliases().len(), entry.ttl())).collect();
    assert_eq!(ways, [(2, Some(60)), (1, Some(60)), (2, Some(60)), (0, None), (0, None)]);
}

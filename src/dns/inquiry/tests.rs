//! Once, within ceilings, in time, and handed over.

use super::*;
use crate::{
    budget::Budget,
    dns::{Answer, AnyAnswer, Question, RecordType},
    join::join,
    ready::drive,
};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Wake},
};

/// Answers every question for texts after some polls, and counts the questions; its clock strikes at once.
#[derive(Default)]
struct Slow {
    polls: usize,
    octets: usize,
    fails: bool,
    asked: AtomicUsize,
    limits: Mutex<Vec<Duration>>,
    revision: Mutex<Option<u64>>,
    confirmed: AtomicUsize,
}

impl Slow {
    fn answer(&self) -> Lookup<Box<[u8]>> {
        if self.fails {
            return Err(LookupError::ServerFailure);
        }
        Ok(Answer::Records([vec![b'x'; self.octets].into_boxed_slice()].into()))
    }
}

impl Resolver for Slow {
    fn confirms(&self, question: &Question, answer: &AnyAnswer) -> bool {
        let is_txt = question.record_type == RecordType::Txt;
        let now = if is_txt { self.answer().map(AnyAnswer::Txt) } else { Ok(AnyAnswer::A(Answer::NxDomain)) };
        self.confirmed.fetch_add(1, Ordering::Relaxed);
        now.is_ok_and(|now| now == *answer)
    }
    fn revision(&self) -> Option<u64> {
        *self.revision.lock().unwrap()
    }
    async fn txt(&self, _: &Name) -> Lookup<Box<[u8]>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        for _ in 0..self.polls {
            let mut polled = false;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        self.answer()
    }
    async fn a(&self, _: &Name) -> Lookup<Ipv4Addr> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Answer::NxDomain)
    }
    async fn aaaa(&self, _: &Name) -> Lookup<Ipv6Addr> {
        Ok(Answer::NoData)
    }
    async fn mx(&self, _: &Name) -> Lookup<Mx> {
        Ok(Answer::NoData)
    }
    async fn ptr(&self, _: IpAddr) -> Lookup<Name> {
        Ok(Answer::NoData)
    }
    async fn within<F: Future + Send>(&self, limit: Duration, question: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        self.limits.lock().unwrap().push(limit);
        // A question that takes ten polls takes too long.
        if self.polls < 10 { Some(question.await) } else { None }
    }
}

struct Woken(AtomicBool);
impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const MINUTE: Duration = Duration::from_secs(60);

fn inquiry<'r>(resolver: &'r Slow, budget: &Budget) -> Inquiry<'r, Slow> {
    Inquiry::new(resolver, budget, MINUTE, MINUTE)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn a_question_is_asked_once_side_by_side_and_one_after_another() {
    let resolver = Slow { polls: 3, octets: 1, ..Slow::default() };
    let inquiry = inquiry(&resolver, &Budget::default());
    let (evidence, policy) = (inquiry.evidence(), inquiry.policy());
    let (lower, upper) = (name("a"), name("A"));
    let (mut as_evidence, mut as_policy) = (pin!(evidence.txt(&upper)), pin!(policy.txt(&lower)));
    let others = pin!(join(as_evidence.as_mut(), as_policy.as_mut()));
    let (a, b) = drive(join(pin!(evidence.txt(&lower)), others));
    assert_eq!(a.clone().unwrap().records(), [b"x".to_vec().into_boxed_slice()]);
    assert_eq!((&a, &a), (&b.0, &b.1));
    assert_eq!(drive(evidence.txt(&name("a"))), a);
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    // Another type, another name: other questions.
    assert_eq!(drive(evidence.a(&name("a"))), Ok(Answer::NxDomain));
    drive(evidence.txt(&name("b"))).unwrap();
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 3);
}

#[test]
fn a_failure_is_remembered_as_well() {
    let resolver = Slow { fails: true, ..Slow::default() };
    let inquiry = inquiry(&resolver, &Budget::default());
    for _ in 0..2 {
        assert_eq!(drive(inquiry.evidence().txt(&name("a"))), Err(LookupError::ServerFailure));
    }
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn who_is_dropped_hands_over_to_one_who_waits() {
    let resolver = Slow { polls: 3, ..Slow::default() };
    let inquiry = inquiry(&resolver, &Budget::default());
    let (asker, other) = (inquiry.evidence(), inquiry.evidence());
    let name = name("a");
    let mut first = Box::pin(asker.txt(&name));
    let mut second = Box::pin(other.txt(&name));
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    assert!(poll(first.as_mut()).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&Arc::clone(&woken).into())).is_pending());
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    assert!(!woken.0.load(Ordering::Relaxed));
    drop(first);
    assert!(woken.0.load(Ordering::Relaxed));
    drive(second).unwrap();
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 2);
}

#[test]
fn who_waits_is_woken_by_the_answer() {
    let resolver = Slow { polls: 2, ..Slow::default() };
    let inquiry = inquiry(&resolver, &Budget::default());
    let (asker, other) = (inquiry.evidence(), inquiry.evidence());
    let name = name("a");
    let (mut first, mut second) = (Box::pin(asker.txt(&name)), Box::pin(other.txt(&name)));
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    assert!(poll(first.as_mut()).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&Arc::clone(&woken).into())).is_pending());
    assert!(poll(first.as_mut()).is_ready());
    assert!(woken.0.load(Ordering::Relaxed));
    assert!(poll(second.as_mut()).is_ready());
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn questions_end_at_their_ceiling_and_those_of_policy_at_another() {
    let resolver = Slow::default();
    let budget = Budget { questions: 2, policy_questions: 1, ..Budget::default() };
    let inquiry = inquiry(&resolver, &budget);
    let (evidence, policy) = (inquiry.evidence(), inquiry.policy());
    for allowed in ["a", "b", "a"] {
        assert!(drive(evidence.txt(&name(allowed))).is_ok(), "{allowed}");
    }
    assert_eq!(drive(evidence.txt(&name("c"))), Err(LookupError::OutOfQuestions));
    // What one budget could not pay, the other can; what is known costs nothing.
    assert!(drive(policy.txt(&name("c"))).is_ok());
    assert!(drive(policy.txt(&name("a"))).is_ok());
    assert!(drive(evidence.txt(&name("c"))).is_ok());
    assert_eq!(drive(policy.txt(&name("d"))), Err(LookupError::OutOfQuestions));
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 3);
}

#[test]
fn octets_end_at_their_ceiling_and_nothing_is_asked_after() {
    let resolver = Slow { octets: 50, ..Slow::default() };
    let budget = Budget { octets: 101, ..Budget::default() };
    let inquiry = inquiry(&resolver, &budget);
    let evidence = inquiry.evidence();
    assert!(drive(evidence.txt(&name("a"))).is_ok());
    assert!(drive(evidence.txt(&name("b"))).is_ok());
    for refused in ["c", "d"] {
        assert_eq!(drive(evidence.txt(&name(refused))), Err(LookupError::OutOfOctets), "{refused}");
    }
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 3);
    assert!(drive(evidence.txt(&name("a"))).is_ok());
    assert!(drive(inquiry.policy().txt(&name("c"))).is_ok());
}

#[test]
fn time_ends_for_a_question_and_for_the_message() {
    let resolver = Slow { polls: 10, ..Slow::default() };
    let limited = |time_limit, question_time_limit| {
        let inquiry = Inquiry::new(&resolver, &Budget::default(), time_limit, question_time_limit);
        drive(inquiry.evidence().txt(&name("a"))).unwrap_err()
    };
    assert_eq!(limited(2 * MINUTE, MINUTE), LookupError::Timeout);
    assert_eq!(limited(MINUTE, 2 * MINUTE), LookupError::OutOfTime);
    assert_eq!(limited(Duration::MAX, MINUTE), LookupError::Timeout);
    // No time is left: the clock is not even set.
    assert_eq!(limited(Duration::ZERO, MINUTE), LookupError::OutOfTime);
    let limits = resolver.limits.lock().unwrap();
    assert!(matches!(&limits[..], [a, b, c] if *a == MINUTE && *b <= MINUTE && *b > MINUTE / 2 && *c == MINUTE));
}

#[test]
fn an_answer_at_hand_needs_no_time() {
    let resolver = Slow::default();
    let inquiry = Inquiry::new(&resolver, &Budget::default(), Duration::ZERO, Duration::ZERO);
    assert!(drive(inquiry.evidence().txt(&name("a"))).is_ok());
    assert!(resolver.limits.lock().unwrap().is_empty());
}

#[test]
fn what_was_asked_ahead_is_paid_for_by_who_takes_it() {
    let resolver = Slow { octets: 50, ..Slow::default() };
    let budget = Budget { questions: 1, octets: 60, policy_questions: 1, questions_ahead: 2, ..Budget::default() };
    let inquiry_of_few = inquiry(&resolver, &budget);
    let ahead = inquiry_of_few.ahead();
    // Beyond 60 / 8 octets an answer cannot be kept ahead, and costs its question.
    assert_eq!(drive(ahead.txt(&name("a"))), Err(LookupError::OutOfOctets));
    assert_eq!(drive(ahead.txt(&name("b"))), Err(LookupError::OutOfOctets));
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);

    let budget = Budget { octets: 450, ..budget };
    let inquiry = inquiry(&resolver, &budget);
    let (evidence, policy, ahead) = (inquiry.evidence(), inquiry.policy(), inquiry.ahead());
    assert!(drive(ahead.txt(&name("a"))).is_ok());
    assert!(drive(ahead.a(&name("b"))).is_ok());
    assert_eq!(drive(ahead.txt(&name("c"))), Err(LookupError::OutOfQuestions));
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 3);
    // Nothing is asked again, and each pays for what it is the first to take.
    assert!(drive(evidence.txt(&name("a"))).is_ok());
    assert!(drive(policy.txt(&name("a"))).is_ok());
    assert_eq!(drive(evidence.a(&name("b"))), Err(LookupError::OutOfQuestions));
    assert!(drive(policy.a(&name("b"))).is_ok());
    assert!(drive(evidence.a(&name("b"))).is_ok());
    assert_eq!(drive(policy.txt(&name("d"))), Err(LookupError::OutOfQuestions));
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 3);
}

/// What one evaluation of this message would ask, from another message.
fn grounds_of(resolver: &Slow, names: &[&str]) -> Arc<Grounds> {
    let inquiry = inquiry(resolver, &Budget::default());
    let asker = inquiry.evidence().of(Evaluation::Helo);
    names.iter().for_each(|text| drop(drive(asker.txt(&name(text)))));
    assert_eq!(drive(asker.a(&name("host"))), Ok(Answer::NxDomain));
    Arc::new(asker.grounds().unwrap())
}

#[test]
fn an_evaluation_knows_its_own_questions_and_no_others() {
    let resolver = Slow { octets: 3, ..Slow::default() };
    let inquiry = inquiry(&resolver, &Budget::default());
    let (helo, mail_from) = (inquiry.evidence().of(Evaluation::Helo), inquiry.evidence().of(Evaluation::MailFrom));
    drive(helo.txt(&name("a"))).unwrap();
    drive(mail_from.txt(&name("b"))).unwrap();
    drive(mail_from.txt(&name("a"))).unwrap();
    drive(inquiry.evidence().txt(&name("c"))).unwrap();
    let names = |asker: &Asker<'_, '_, Slow>| {
        let grounds = asker.grounds().unwrap();
        grounds.asked().iter().map(|(question, _)| question.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((names(&helo), names(&mail_from)), (vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(inquiry.evidence().grounds().map(|_| ()), None);
}

#[test]
fn what_failed_or_is_too_much_is_no_grounds() {
    let failing = Slow { fails: true, ..Slow::default() };
    let large = Slow { octets: 2049, ..Slow::default() };
    for resolver in [&failing, &large] {
        let inquiry = inquiry(resolver, &Budget::default());
        let asker = inquiry.evidence().of(Evaluation::Helo);
        drop(drive(asker.txt(&name("a"))));
        assert!(asker.grounds().is_none());
    }
    let resolver = Slow::default();
    let asked = |budget: Budget, count: usize| {
        let inquiry = inquiry(&resolver, &budget);
        let asker = inquiry.policy().of(Evaluation::Discovery);
        (0..count).for_each(|number| drop(drive(asker.txt(&name(&format!("a{number}"))))));
        asker.grounds().map(|grounds| grounds.asked().len())
    };
    assert_eq!(asked(Budget::default(), 32), Some(32));
    assert_eq!(asked(Budget::default(), 33), None);
    let two = || Budget { policy_questions: 2, ..Budget::default() };
    assert_eq!((asked(two(), 2), asked(two(), 3)), (Some(2), None));
}

#[test]
fn what_is_confirmed_counts_as_asked() {
    let resolver = Slow { octets: 10, ..Slow::default() };
    let grounds = grounds_of(&resolver, &["a", "b"]);
    // Three questions, twenty octets.
    let with = |questions, octets| Budget { questions, octets, ..Budget::default() };
    for (budget, is_enough) in [(with(3, 21), true), (with(2, 21), false), (with(3, 20), false)] {
        let inquiry = inquiry(&resolver, &budget);
        assert_eq!(inquiry.evidence().confirms_all(Arc::clone(&grounds)), is_enough);
        resolver.asked.store(0, Ordering::Relaxed);
        // What was confirmed is known; where it was not, nothing was spent.
        assert!(drive(inquiry.evidence().txt(&name("b"))).is_ok());
        assert_eq!(resolver.asked.load(Ordering::Relaxed), usize::from(!is_enough));
        let next = drive(inquiry.evidence().txt(&name("c")));
        assert_eq!(next == Err(LookupError::OutOfQuestions), is_enough);
    }
    // To have it confirmed twice, or to have asked for a part of it, costs no more.
    let inquiry = inquiry(&resolver, &with(3, 21));
    drive(inquiry.evidence().txt(&name("a"))).unwrap();
    assert!(
        inquiry.evidence().confirms_all(Arc::clone(&grounds)) && inquiry.evidence().confirms_all(Arc::clone(&grounds))
    );
    // Who asks for a part of it afterwards stands on it as well.
    let asker = inquiry.evidence().of(Evaluation::MailFrom);
    drive(asker.txt(&name("b"))).unwrap();
    assert_eq!(asker.grounds().unwrap().asked().len(), 1);
}

#[test]
fn what_is_answered_otherwise_is_not_confirmed() {
    let resolver = Slow { octets: 10, ..Slow::default() };
    let grounds = grounds_of(&resolver, &["a", "b"]);
    let (longer, failing) = (Slow { octets: 11, ..Slow::default() }, Slow { fails: true, ..Slow::default() });
    for other in [&longer, &failing] {
        assert!(!inquiry(other, &Budget::default()).evidence().confirms_all(Arc::clone(&grounds)));
    }
    // Within one message nothing is told in two ways: what was answered otherwise before stays.
    let inquiry = inquiry(&resolver, &Budget::default());
    inquiry.book().entries.set(None, &name("b"), RecordType::Txt, State::Answered(Err(LookupError::Timeout)));
    assert!(!inquiry.evidence().confirms_all(Arc::clone(&grounds)));
}

#[test]
fn what_was_confirmed_is_confirmed_again_when_the_revision_changes_or_is_not_told() {
    let mut resolver = Slow { octets: 10, ..Slow::default() };
    let grounds = grounds_of(&resolver, &["a", "b"]);
    let confirms = |resolver: &Slow, revision| {
        *resolver.revision.lock().unwrap() = revision;
        resolver.confirmed.store(0, Ordering::Relaxed);
        let is_confirmed = inquiry(resolver, &Budget::default()).evidence().confirms_all(Arc::clone(&grounds));
        (is_confirmed, resolver.confirmed.load(Ordering::Relaxed))
    };
    for (revision, asked) in [(Some(0), 3), (Some(0), 0), (Some(1), 3), (None, 3), (Some(1), 0), (Some(0), 3)] {
        assert_eq!(confirms(&resolver, revision), (true, asked), "{revision:?}");
    }
    // The last number of all cannot be told from none.
    for _ in 0..2 {
        assert_eq!(confirms(&resolver, Some(u64::MAX)), (true, 3));
    }
    // What was not confirmed is asked each time.
    resolver.octets = 11;
    for _ in 0..2 {
        assert_eq!(confirms(&resolver, Some(7)), (false, 1));
    }
}

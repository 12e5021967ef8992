//! What is remembered of evaluations must not show: an authenticator that has seen much says the same as a new one.

use super::spf_zone::SpfZone;
use mailverdict::{
    Authenticator, Policy, Session,
    dns::{Answer, AnyAnswer, Lookup, Mx, Question, RecordType, Resolver},
    name::Name,
    session::MailFrom,
    spf::{Observers, SpfReports},
    time::UnixTime,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A zone that confirms its answers, and of which one name may be taken away.
pub(crate) struct Confirming<'z> {
    zone: &'z SpfZone,
    absent: Mutex<Option<Name>>,
    asked: Mutex<Vec<Name>>,
    confirmed: AtomicUsize,
}

impl Confirming<'_> {
    fn is_there(&self, name: &Name) -> bool {
        let mut asked = self.asked.lock().unwrap();
        if !asked.contains(name) {
            asked.push(name.clone());
        }
        self.absent.lock().unwrap().as_ref() != Some(name)
    }

    fn txt_now(&self, name: &Name) -> Lookup<Box<[u8]>> {
        if self.is_there(name) { super::now(self.zone.txt(name)) } else { Ok(Answer::NxDomain) }
    }
    fn a_now(&self, name: &Name) -> Lookup<Ipv4Addr> {
        if self.is_there(name) { super::now(self.zone.a(name)) } else { Ok(Answer::NxDomain) }
    }
    fn aaaa_now(&self, name: &Name) -> Lookup<Ipv6Addr> {
        if self.is_there(name) { super::now(self.zone.aaaa(name)) } else { Ok(Answer::NxDomain) }
    }
    fn mx_now(&self, name: &Name) -> Lookup<Mx> {
        if self.is_there(name) { super::now(self.zone.mx(name)) } else { Ok(Answer::NxDomain) }
    }
}

impl Resolver for Confirming<'_> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.txt_now(name)
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.a_now(name)
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.aaaa_now(name)
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.mx_now(name)
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.zone.ptr(ip).await
    }
    fn confirms(&self, question: &Question, answer: &AnyAnswer) -> bool {
        let Question { name, record_type } = question;
        let confirms = match record_type {
            RecordType::Txt => self.txt_now(name).map(AnyAnswer::Txt),
            RecordType::A => self.a_now(name).map(AnyAnswer::A),
            RecordType::Aaaa => self.aaaa_now(name).map(AnyAnswer::Aaaa),
            RecordType::Mx => self.mx_now(name).map(AnyAnswer::Mx),
            // Under the name of the address, as the question has it.
            RecordType::Ptr => self.zone.ptr_of(name).map(AnyAnswer::Ptr),
        }
        .is_ok_and(|now| now == *answer);
        self.confirmed.fetch_add(usize::from(confirms), Ordering::Relaxed);
        confirms
    }
}

/// How often a remembered answer was confirmed, and what the memory changed.
pub(crate) fn differences(zone: &SpfZone, policy: &Policy, session: &Session) -> (usize, Vec<String>) {
    let (absent, asked) = (Mutex::default(), Mutex::default());
    let zone = Confirming { zone, absent, asked, confirmed: AtomicUsize::new(0) };
    let authenticator = || Authenticator::new(&zone).with_policy(policy.clone());
    let old = authenticator();
    let mut different = Vec::new();
    let mut compare = |session: &Session, what: &str| {
        // The first is met, the second remembered, the third recalled.
        let reports: Vec<SpfReports> = (0..3).map(|_| check(&old, session)).collect();
        let new = check(&authenticator(), session);
        if reports.iter().any(|report| *report != new) {
            different.push(format!("{what}: {reports:?} instead of {new:?}"));
        }
    };
    compare(session, "the same again");
    let asked = std::mem::take(&mut *zone.asked.lock().unwrap());
    for (what, other) in others(session) {
        compare(&other, what);
    }
    compare(session, "the same after others");
    for name in asked.into_iter().take(6) {
        *zone.absent.lock().unwrap() = Some(name.clone());
        compare(session, &format!("without {name}"));
        *zone.absent.lock().unwrap() = None;
        compare(session, &format!("with {name} again"));
    }
    (zone.confirmed.into_inner(), different)
}

/// Sessions that differ in one thing.
fn others(session: &Session) -> Vec<(&'static str, Session)> {
    let mut others = Vec::new();
    if let MailFrom::Address(address) = &session.mail_from {
        let domain = address.rsplit('@').next().unwrap();
        for local_part in ["somebody-else", "bücher", "", &"x".repeat(50_000)] {
            others.push(("another local part", session.clone().with_mail_from(&format!("{local_part}@{domain}"))));
        }
        others.push(("in upper case", session.clone().with_mail_from(&format!("User@{}", domain.to_uppercase()))));
    }
    others.push(("another HELO", session.clone().with_helo("another.example.com")));
    others.push(("another receiver", session.clone().with_receiver("another.example.com")));
    others.push(("another time", session.clone().received_at(UnixTime(session.received_at.0 + 1))));
    let ip = match session.peer_ip.unwrap() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() ^ 1)),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() ^ 1)),
    };
    let mut other = session.clone();
    other.peer_ip = Some(ip);
    others.push(("another client", other));
    others
}

fn check<R: Resolver>(authenticator: &Authenticator<R>, session: &Session) -> SpfReports {
    super::now(authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }))
}

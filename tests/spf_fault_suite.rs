//! What is wrong with an SPF record is told exactly where it cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailverdict::spf::{Record, faults};
use proptest::{collection::vec, prelude::*, sample::select};

/// Terms, and what is nearly one.
const TERMS: [&[u8]; 62] = [
    b"mx",
    b"-all",
    b"~all",
    b"a:h.example",
    b"include:_spf.example",
    b"ip4:192.0.2.0/24",
    b"ip6:2001:db8::/32",
    b"x=y",
    b"redirect=a.example",
    b"exp=b.example",
    b"exists:%{ir}.example",
    b"ptr",
    b"a/24//64",
    b"ip4=192.0.2.1",
    b"",
    b"-",
    b"- ",
    b"--all",
    b"-all;",
    b"all-",
    b"al",
    b"alll",
    b"192.0.2.1",
    b"2001:db8::1",
    b"ipv4:192.0.2.1",
    b"ip:2001:db8::1",
    b"ip4:",
    b"ip4:192.0.2.01",
    b"ip4:192.0.2.256",
    b"ip4:192.0.2",
    b"ip4:192.0.2.1/33",
    b"ip4:192.0.2.1/24/64",
    b"ip4:2001:db8::1",
    b"ip4:h.example",
    b"ip4:192.0.2.1ip4:192.0.2.2",
    b"ip6:192.0.2.1",
    b"ip6:x",
    b"ip6:2001:db8::/129",
    b"a:192.0.2.1",
    b"a:",
    b"a:h",
    b"a:h.1",
    b"a/24/64",
    b"a/33",
    b"include:",
    b"include",
    b"include:a.example~all",
    b"include.a.example",
    b"inlcude:a.example",
    b"includes:a.example",
    b"redirect:a.example",
    b"exists:%{z}.example",
    b"exists:%{d0}",
    b"exists:%{c}.example",
    b"exists:%d",
    b"exists:%{d2;}",
    b"include:a.example\t-all",
    b"\xe2\x80\x93all",
    b"include:\xff",
    b"\"v=spf1",
    b"(2024)",
    b"a.example",
];

fn holds(text: &[u8]) {
    let faults = faults(text);
    let is_broken = Record::has_version(text) && Record::parse(text).is_err();
    assert_eq!(!faults.is_empty(), is_broken, "{}: {faults:?}", text.escape_ascii());
    for fault in &faults {
        let span = fault.span().unwrap();
        let term = span.of(text).unwrap();
        assert!(!term.is_empty() && !term.contains(&b' '), "{fault:?}");
        assert!((span.offset()..=span.range().end).contains(&fault.offset), "{fault:?}");
        assert!(fault.to_string().bytes().all(|octet| matches!(octet, b' '..=b'~')), "{fault}");
        if let Some(meant) = &fault.meant {
            assert!(Record::parse(format!("v=spf1 {meant}").as_bytes()).is_ok(), "{fault:?}");
        }
    }
}

/// Each term by itself, so that none hides behind another.
#[test]
fn each_term_alone_is_a_fault_where_it_cannot_be_read() {
    for term in TERMS {
        holds(&[b"v=spf1 ", term].concat());
        holds(&[b"v=spf1 ", term, b" -all"].concat());
    }
}

/// One for each fault in one record, whatever stands before it.
#[test]
fn reading_goes_on_behind_the_first_error() {
    let text = b"v=spf1 ip4: a -all; ipv4:192.0.2.1 redirect=a.example redirect=b.example";
    let terms: Vec<String> = faults(text).iter().map(|fault| fault.term.to_string()).collect();
    assert_eq!(terms, ["ip4:", "-all;", "ipv4:192.0.2.1", "redirect=b.example"]);
    assert_eq!(faults(&[b"v=spf1".to_vec(), b" moo".repeat(1000)].concat()).len(), 32);
    assert_eq!(faults(b"v=spf2 moo"), []);
}

/// Nobody's slip of the pen, and no work beyond reading it.
#[test]
fn a_long_term_costs_no_more_than_its_octets() {
    for part in [&b"-all"[..], b"include:", b"a,", b"ip4:1.2.3.4", b"%{", b"\xe2\x80\x93", b"e.", b"~"] {
        let text = [b"v=spf1 ", &part.repeat(100_000)[..], b";"].concat();
        let found = faults(&text);
        assert!(found.iter().all(|fault| fault.to_string().len() < 500), "{found:?}");
    }
}

proptest! {
    #[test]
    fn faults_are_told_exactly_where_a_record_cannot_be_read(
        terms in vec(select(&TERMS[..]), 0..6),
        odd in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut text = [b"v=spf1 ".to_vec(), terms.join(&b' ')].concat();
        for (at, octet) in odd {
            let at = 7.min(text.len()) + at.index(text.len() - 6);
            text.insert(at.min(text.len()), octet);
        }
        holds(&text);
    }

    #[test]
    fn any_octets_behind_a_version(text in vec(any::<u8>(), 0..60)) {
        holds(&[b"v=spf1 ".to_vec(), text].concat());
    }
}

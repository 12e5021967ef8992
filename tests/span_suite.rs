//! Terms and tags know where they stand in the text that they were read from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/properties/spans.rs"]
mod spans;

mod spf {
    use super::spans;
    use mailverdict::spf::{Directive, Mechanism, Modifier, Qualifier, Record};
    use proptest::{collection::vec, prelude::*, sample::select};
    use std::collections::HashSet;

    /// The terms of a record as its text has them.
    fn quoted(text: &str) -> Vec<&str> {
        let record = Record::parse(text.as_bytes()).unwrap();
        let quote = |span: mailverdict::Span| std::str::from_utf8(span.of(text.as_bytes()).unwrap()).unwrap();
        record.terms().into_iter().map(|term| quote(term.span().unwrap())).collect()
    }

    #[test]
    fn terms_are_quoted_as_they_were_written() {
        let text = "V=SPF1   +A:Example.COM/24//64  ~MX ?include:_spf.%{D2} Redirect=%{d}.example   X-y=%%a/b exp=why.example -aLL  ";
        let expected = [
            "+A:Example.COM/24//64",
            "~MX",
            "?include:_spf.%{D2}",
            "Redirect=%{d}.example",
            "X-y=%%a/b",
            "exp=why.example",
            "-aLL",
        ];
        assert_eq!(quoted(text), expected);
        assert_eq!(quoted("v=spf1"), [""; 0]);
        assert_eq!(quoted("v=spf1    "), [""; 0]);
        assert_eq!(quoted("v=spf1 x="), ["x="]);
        assert_eq!(quoted("v=spf1 mx mx x=1 x=1"), ["mx", "mx", "x=1", "x=1"]);
    }

    #[test]
    fn each_term_knows_its_own_span() {
        let text = b"v=spf1 exp=a.example ip4:192.0.2.0/24 y=1  redirect=b.example";
        let record = Record::parse(text).unwrap();
        let range = |span: Option<mailverdict::Span>| span.unwrap().range();
        assert_eq!(range(record.exp.as_ref().unwrap().span()), 7..20);
        assert_eq!(range(record.directives[0].span()), 21..37);
        assert_eq!(range(record.unknown_modifiers[0].span()), 38..41);
        assert_eq!(range(record.redirect.as_ref().unwrap().span()), 43..61);
    }

    #[test]
    fn what_was_made_has_no_span() {
        let made = Record {
            directives: vec![Directive::new(Qualifier::Fail, Mechanism::All)],
            exp: Some(Modifier::new("why.example".parse().unwrap())),
            ..Record::default()
        };
        assert!(made.terms().into_iter().all(|term| term.span().is_none()));
        assert_eq!("-all".parse::<Directive>().unwrap().span(), None);
        // In the order in which they are written.
        let terms: Vec<_> = made.terms().iter().map(ToString::to_string).collect();
        assert_eq!(terms, ["-all", "exp=why.example"]);
    }

    #[test]
    fn where_terms_stand_says_nothing_about_what_they_say() {
        let [one, other] =
            ["v=spf1 mx -all x=y", "v=spf1    mx   x=y -all"].map(|text| text.parse::<Record>().unwrap());
        assert_ne!(one.directives[1].span(), other.directives[1].span());
        assert_eq!(one, other);
        let directives: HashSet<&Directive> = one.directives.iter().chain(&other.directives).collect();
        assert_eq!(directives.len(), 2);
    }

    proptest! {
        #[test]
        fn terms_are_what_stands_between_spaces(
            terms in vec((" {1,3}", select(&[
                "all", "-ALL", "?mx", "+A", "a/24//64", "a:b.example", "Mx:%{d}/0", "ptr", "~PTR:b.example", "ip4:192.0.2.0/24",
                "-ip6:2001:db8::/32", "exists:%{i}._spf.%{D2}", "include:b.example.", "x=", "X.y-z=%{t}/%%", "redirectx=a",
                "redirect=b.example", "EXP=%{o}", "include:", "=", "\u{e4}",
            ][..])), 0..9),
            end in " {0,2}",
        ) {
            let terms: String = terms.into_iter().map(|(spaces, term)| spaces + term).collect();
            let text = format!("v=spf1{terms}{end}");
            if let Ok(record) = Record::parse(text.as_bytes()) {
                spans::spf_terms(text.as_bytes(), &record);
            }
        }
    }
}

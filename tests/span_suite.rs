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

mod dkim {
    use super::spans;
    use mailverdict::{
        TagSpan,
        arc::Seal,
        dkim::{KeyRecord, Signature},
    };
    use proptest::{
        prelude::*,
        sample::{select, subsequence},
    };

    /// A tag and its value as the text has them.
    fn quoted(text: &[u8], span: Option<TagSpan>) -> Option<(&str, &str)> {
        let quote = |span: mailverdict::Span| std::str::from_utf8(span.of(text).unwrap()).unwrap();
        span.map(|span| (quote(span.whole()), quote(span.value())))
    }

    #[test]
    fn tags_of_a_folded_field_are_quoted_with_their_folds() {
        let value =
            b" v = 1;\r\n\ta=rsa-sha256 ; A=x; d\r\n =Example.COM;s=k1; r=y;\r\n h=From :\r\n\tTo;\tbh= AA\r\n AA ;\
            b=\r\n BB\r\n\tBB\r\n ;\r\n";
        let signature = Signature::parse(value).unwrap();
        let expected = [
            ("v", Some(("v = 1", "1"))),
            ("a", Some(("a=rsa-sha256", "rsa-sha256"))),
            ("d", Some(("d\r\n =Example.COM", "Example.COM"))),
            ("s", Some(("s=k1", "k1"))),
            ("h", Some(("h=From :\r\n\tTo", "From :\r\n\tTo"))),
            ("bh", Some(("bh= AA\r\n AA", "AA\r\n AA"))),
            ("b", Some(("b=\r\n BB\r\n\tBB", "BB\r\n\tBB"))),
            ("c", None),
            // Not defined by RFC 6376.
            ("r", None),
            // Names are case-sensitive.
            ("A", None),
        ];
        for (name, expected) in expected {
            assert_eq!(quoted(value, signature.span_of(name)), expected, "{name}");
        }
    }

    #[test]
    fn tags_of_the_fields_of_arc_are_read_alike() {
        let value = b"i=1; a=rsa-sha256;\r\n\tcv = none ; d=a.example; s=s; t=7; b=\r\n BBBB; h=from; r=y";
        let seal = Seal::parse(value).unwrap();
        assert_eq!(quoted(value, seal.span_of("i")), Some(("i=1", "1")));
        assert_eq!(quoted(value, seal.span_of("cv")), Some(("cv = none", "none")));
        assert_eq!(quoted(value, seal.span_of("b")), Some(("b=\r\n BBBB", "BBBB")));
        assert_eq!(quoted(value, seal.span_of("h")), Some(("h=from", "from")));
        assert_eq!((seal.span_of("r"), seal.span_of("bh")), (None, None));
        let value = b"v=x; i=1; a=rsa-sha256; d=a.example; s=s; h=from:; bh=AAAA; b=BBBB;\r\n";
        let signature = Signature::parse_arc_message_signature(value).unwrap();
        assert_eq!(quoted(value, signature.span_of("v")), Some(("v=x", "x")));
        assert_eq!(quoted(value, signature.span_of("i")), Some(("i=1", "1")));
        assert_eq!(quoted(value, signature.span_of("h")), Some(("h=from:", "from:")));
        assert_eq!(&*signature.identity, "@a.example");
    }

    #[test]
    fn an_empty_value_stands_behind_its_equals_sign() {
        for (text, whole) in [("v=DKIM1; p=", "p="), ("p= \t; k=rsa", "p="), ("k=rsa;  p  = ;", "p  =")] {
            let span = KeyRecord::parse(text.as_bytes()).unwrap().span_of("p");
            assert_eq!(quoted(text.as_bytes(), span), Some((whole, "")), "{text}");
            let span = span.unwrap();
            assert_eq!(span.value().range().start, span.whole().range().end);
        }
    }

    #[test]
    fn where_tags_stand_says_nothing_about_what_they_say() {
        let records = ["v=DKIM1;p=;t=s", "v=DKIM1;  t=s; p="].map(|text| KeyRecord::parse(text.as_bytes()).unwrap());
        assert_eq!(records[0], records[1]);
        assert_ne!(records[0].span_of("p"), records[1].span_of("p"));
        let values = ["v=1;a=a-b;d=a.b;s=s;h=from;bh=AAAA;b=BBBB", "b=BBBB;v=1;a=a-b;d=a.b;s=s;h=from;bh=AAAA\r\n"];
        let [one, other] = values.map(|value| Signature::parse(value.as_bytes()).unwrap());
        assert_eq!(one, other);
    }

    fn white() -> impl Strategy<Value = String> {
        select(&["", "", " ", "\t", " \r\n ", "\r\n\t"][..]).prop_map(str::to_owned)
    }

    type Tags = &'static [(&'static str, &'static str)];

    /// These tags and some of the optional ones in any order, with white space on all sides.
    fn list(required: Tags, optional: Tags) -> impl Strategy<Value = String> {
        let spaced = |(name, value): &(&'static str, &'static str)| {
            let (name, value) = (*name, *value);
            (white(), white(), white(), white()).prop_map(move |(a, b, c, d)| format!("{a}{name}{b}={c}{value}{d}"))
        };
        let some = subsequence(optional, 0..=optional.len());
        let tags =
            some.prop_flat_map(move |some| required.iter().chain(&some).map(spaced).collect::<Vec<_>>().prop_shuffle());
        (tags, select(&["", ";", "; ", ";\r\n"][..])).prop_map(|(tags, end)| tags.join(";") + end)
    }

    proptest! {
        #[test]
        fn tags_of_signatures_are_what_stands_between_semicolons(
            value in list(
                &[("v", "1"), ("a", "a-b"), ("b", "AA\r\n AA"), ("bh", "AAA="), ("d", "a.example"), ("h", "from\t: To"), ("s", "s")],
                &[
                    ("c", "relaxed"), ("i", "@a.example"), ("l", "7"), ("q", "dns/txt"), ("t", "1"), ("x", "2"), ("z", "From:x"),
                    ("zz", ""), ("bH", "b=1"),
                ],
            ),
        ) {
            let signature = Signature::parse(value.as_bytes()).unwrap();
            spans::tags(value.as_bytes(), &spans::SIGNATURE_TAGS, |name| signature.span_of(name));
        }

        #[test]
        fn tags_of_seals_are_what_stands_between_semicolons(
            value in list(
                &[("a", "a-b"), ("b", "AA\r\n AA"), ("d", "a.example"), ("s", "s"), ("cv", "pass")],
                &[("i", "2"), ("t", "1"), ("h", "from\t: To"), ("bh", ""), ("CV", "x")],
            ),
        ) {
            let seal = Seal::parse(value.as_bytes()).unwrap();
            spans::tags(value.as_bytes(), &spans::SEAL_TAGS, |name| seal.span_of(name));
        }

        #[test]
        fn tags_of_key_records_are_what_stands_between_semicolons(
            version in "( ?v ?= ?DKIM1 ?;)?",
            tags in list(
                &[("p", "")],
                &[("h", "sha1:sha256"), ("k", "rsa"), ("n", "v=1"), ("s", "* : email"), ("t", "y"), ("g", "")],
            ),
        ) {
            let text = (version + &tags).trim_end().to_owned();
            let record = KeyRecord::parse(text.as_bytes()).unwrap();
            spans::tags(text.as_bytes(), &spans::KEY_TAGS, |name| record.span_of(name));
        }
    }
}

mod dmarc {
    use super::spans;
    use mailverdict::{
        Span,
        dmarc::{Record, ReportUri},
    };
    use proptest::{collection::vec, prelude::*, sample::select};

    fn quote(text: &str, span: Option<Span>) -> &str {
        std::str::from_utf8(span.unwrap().of(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn tags_are_quoted_as_they_were_written() {
        let text = "V \t=  DMARC1 ;;  P=Reject; \tsp =\tnone\t; adkim= ; t=y;T=n; pct=100;x=y;";
        let record = Record::parse(text.as_bytes()).unwrap();
        let expected = [
            ("v", "V \t=  DMARC1", "DMARC1"),
            ("p", "P=Reject", "Reject"),
            ("sp", "sp =\tnone", "none"),
            ("adkim", "adkim=", ""),
            ("t", "t=y", "y"),
            ("pct", "pct=100", "100"),
        ];
        for (name, whole, value) in expected {
            let tag = record.span_of(name).unwrap();
            assert_eq!((quote(text, Some(tag.whole())), quote(text, Some(tag.value()))), (whole, value));
        }
        for name in ["np", "x", "P", ""] {
            assert_eq!(record.span_of(name), None, "{name}");
        }
    }

    #[test]
    fn what_was_passed_over_is_quoted_as_it_was_written() {
        let text = "v=DMARC1; p=reject; P = none ; zz; fo = 0 : q:: D; rua= mailto:a@b.example , a@b,,mailto:c@d.example!1m; \u{e4}=\\; v=";
        let record = Record::parse(text.as_bytes()).unwrap();
        let quoted: Vec<&str> = record.ignored.iter().map(|ignored| quote(text, ignored.span())).collect();
        assert_eq!(quoted, ["P = none", "zz", "q", "", "a@b", "", "\u{e4}=\\", "v="]);
        let uris: Vec<&str> = record.aggregate_reports.iter().map(|uri| quote(text, uri.span())).collect();
        assert_eq!(uris, ["mailto:a@b.example", "mailto:c@d.example!1m"]);
        assert_eq!(quote(text, record.span_of("p").map(|tag| tag.whole())), "p=reject");
        assert_eq!(quote(text, record.span_of("fo").map(|tag| tag.value())), "0 : q:: D");
        assert_eq!(quote(text, record.span_of("v").map(|tag| tag.whole())), "v=DMARC1");
    }

    #[test]
    fn where_tags_stand_says_nothing_about_what_they_say() {
        let [one, other] =
            ["v=DMARC1;p=none;rua=mailto:a@b.example;x=y", "v=DMARC1 ;  rua = mailto:a@b.example; x=y; p=none;"]
                .map(|text| Record::parse(text.as_bytes()).unwrap());
        assert_eq!(one, other);
        assert_ne!(one.span_of("p"), other.span_of("p"));
        let alone = ReportUri::parse(b"mailto:a@b.example").unwrap();
        assert_eq!(one.aggregate_reports.first(), Some(&alone));
        assert_eq!(alone.span(), None);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn spans_are_not_serialized() {
        let record = Record::parse(b"v=DMARC1; p=x; rua=mailto:a@b.example").unwrap();
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 14);
        assert_eq!(json["ignored"], serde_json::json!([{ "text": "p=x", "why": "malformed_value", "tag": "p" }]));
        assert!(!json.to_string().contains("span"));
    }

    proptest! {
        #[test]
        fn parts_are_what_stands_between_separators(
            version in "[vV] ?= ?DMARC1 ?",
            tags in vec(("[ \\t]{0,2}", select(&[
                "p=none", "P = reject", "p=", "p\t=\tx", "sp=quarantine", "SP=", "np=none", "adkim= s", "aspf =r", "psd=y", "t=y", "T=n",
                "fo=0:1 : d: x ::s", "fo= ", "rua=mailto:a@b.example", "rua = a, mailto:a@b.example!10m ,,https://c.example ", "ruf=x,y",
                "ruf=mailto:%zz,mailto:a@b.example", "pct=7", "pct=101", "rf=afrf", "ri= 1", "v=DMARC1", "v=", "=", "=x", "x", "x=y",
                "\u{e4}=", "p=\\", "p\n=none", "",
            ][..]), "[ \\t]{0,2}"), 0..9),
        ) {
            let tags = tags.into_iter().map(|(before, tag, after)| before + tag + &after);
            let text: Vec<String> = std::iter::once(version).chain(tags).collect();
            let text = text.join(";");
            spans::dmarc_parts(text.as_bytes(), &Record::parse(text.as_bytes()).unwrap());
        }
    }
}

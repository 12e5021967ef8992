//! Replays what fuzzing found (`tests/data/fuzz/`), and short and random inputs, through the properties that the targets of
//! `fuzz/` check. Those of rooms without a public door are replayed by the unit tests of `src/fuzzing.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/properties/mod.rs"]
mod properties;
#[path = "support/properties/replay.rs"]
mod replay;

/// What fuzzing starts from where octets decide over structure leads somewhere. `MAILVERDICT_SEEDS` names the folder that
/// `fuzz/seed.sh` wants it in; then more inputs are tried, for more kinds of results.
#[test]
fn seeds_of_structure_lead_somewhere() {
    let folder = std::env::var_os("MAILVERDICT_SEEDS");
    let seeds = properties::seeds(if folder.is_some() { 3000 } else { 400 });
    for (target, wanted) in [
        ("arc_chain", &["_sets_pass_from_0", "_sets_fail"][..]),
        (
            "authenticate",
            &[
                "dkim_pass",
                "dkim_many_",
                "arc_pass",
                "arc_fail",
                "malformed_NotAField",
                "malformed_BareCr",
                "from_ambiguous",
                "from_incomplete",
                "_of_a_long_local_part",
                "blank_line_in_field",
                "repeated_field",
                "encoded_local_part",
                "no_field",
            ],
        ),
        ("check_host", &["mailfrom_none", "mailfrom_permerror", "_of_a_long_local_part", "_of_many_terms"]),
        ("dkim_signed", &["simple_simple_", "relaxed_relaxed_", "_whole_of_", "_some_body"]),
    ] {
        let found = seeds[target].keys().map(String::as_str).collect::<Vec<_>>().join(" ");
        println!("{} seeds for {target}: {found}", seeds[target].len());
        wanted.iter().for_each(|kind| assert!(found.contains(kind), "no {kind} for {target}: {found}"));
    }
    let Some(folder) = folder else { return };
    for kind in mailverdict::message::MalformationKind::ALL {
        assert!(seeds["authenticate"].contains_key(&format!("malformed_{kind:?}")), "no header with {kind:?}");
    }
    for (target, inputs) in seeds {
        let folder = std::path::Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        inputs.iter().for_each(|(kind, input)| std::fs::write(folder.join(kind), input).unwrap());
    }
}

#[test]
fn findings_and_made_inputs_hold() {
    replay::replay(&[
        ("arc_chain", properties::arc_chain),
        ("authenticate", properties::authenticate),
        ("authentication_results", properties::authentication_results),
        ("change", properties::change),
        ("check_host", properties::check_host),
        ("dkim_signature", properties::dkim_signature),
        ("dkim_signed", properties::dkim_signed),
        ("dmarc_record", properties::dmarc_record),
        #[cfg(feature = "serde")]
        ("evidence", properties::evidence),
        ("key_record", properties::key_record),
        ("lint", properties::lint),
        ("macro_string", properties::macro_string),
        ("master_file", properties::master_file),
        ("message", properties::message),
        ("name", properties::name),
        #[cfg(feature = "reports")]
        ("report", properties::report),
        ("sign", properties::sign),
        ("spf_record", properties::spf_record),
    ]);
}

/// What reports are made of, and what is made of them.
#[cfg(feature = "reports")]
const MARKUP: [&[u8]; 44] = [
    b"<feedback>",
    b"</feedback>",
    b"<record>",
    b"</record>",
    b"<row>",
    b"</row>",
    b"<source_ip>",
    b"</source_ip>",
    b"192.0.2.1",
    b"<count>",
    b"</count>",
    b"3",
    b"3.0",
    b"<auth_results>",
    b"<dkim>",
    b"</dkim>",
    b"<spf>",
    b"</spf>",
    b"<domain>",
    b"</domain>",
    b"<result>",
    b"PASS",
    b"<identifiers>",
    b"<header_from>",
    b"contoso.com",
    b"</header_from>",
    b"<envelope_from/>",
    b"<x:y a=\"1\">",
    b"</x:y>",
    b"<",
    b">",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&x;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?x?>",
    b"\"",
    b"\xff",
    b"\0\x1b",
    b" \n",
];

proptest::proptest! {
    /// What is found in whatever is evaluated is told in bounds, in print, and in its own words; see `properties::authenticate`.
    #[test]
    fn any_scene_holds(data in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..4000)) {
        properties::authenticate(&data);
        properties::check_host(&data);
        properties::lint(&data);
    }

    /// Reports of all that reports are made of, in whatever order.
    #[cfg(feature = "reports")]
    #[test]
    fn any_markup_holds(pieces in proptest::collection::vec(proptest::sample::select(&MARKUP[..]), 0..80)) {
        properties::report(&pieces.concat());
        properties::report(&[b"<feedback>", &pieces.concat()[..]].concat());
    }

    /// Evidence in which octets were changed is read or refused, and what is read holds.
    #[cfg(feature = "serde")]
    #[test]
    fn changed_evidence_holds(changes in proptest::collection::vec((0_usize..22_000, proptest::arbitrary::any::<u8>()), 1..4)) {
        let mut evidence = include_bytes!("data/evidence/version-1.json").to_vec();
        for (at, octet) in changes {
            let at = at % evidence.len();
            evidence[at] = octet;
        }
        properties::evidence(&evidence);
    }
}

//! The cases of `tests/data/dmarc/`: a zone, a From field, what SPF and DKIM found, and the report that is wanted.

#[cfg(test)]
mod tests {
    use crate::{
        budget::Budget,
        dmarc::{
            Authentication, Disposition, DmarcReport, Edition, Editions, Identifiers, Mechanism, Policy, Reports,
            SuffixList, ask_ahead, discover, evaluate,
        },
        dns::{LookupError, Question, RecordType, Resolver as _, Zone},
        known::{Ahead, AtHand, Known, Log, Part, Unknown},
        message::{Authors, Header},
        name::{Domain, Name},
    };
    use saphyr::{LoadableYamlNode, Yaml};
    use std::sync::Arc;

    /// What is evaluated.
    struct Evaluated {
        policy: Policy,
        authors: Authors,
        identifiers: Identifiers,
    }

    impl Evaluated {
        /// Each run from the start.
        fn run(&self, log: &mut Log, at_hand: AtHand<'_>) -> Result<Reports, Unknown> {
            let known = &mut Known::new(log, at_hand, Part::Discovery, Budget::default().dmarc);
            let mut discovered = discover(known, &self.policy, &self.authors)?;
            let share = known.left();
            let known = &mut Known::new(log, at_hand, Part::Alignment, share);
            evaluate(known, &self.policy, &self.authors, &mut discovered, &self.identifiers)
        }

        /// With answers that come late, in an order that `seed` has; with what is asked ahead.
        fn run_late(&self, zone: &Zone, seed: u64) -> (Reports, Log) {
            let mut log = Log::new(40, 1 << 20);
            let mut open: Vec<Question> = Vec::new();
            loop {
                match self.run(&mut log, &|_| None) {
                    Ok(reports) => return (reports, log),
                    Err(Unknown) => {
                        let ahead = &mut Ahead::new(&mut log, &|_| None);
                        ask_ahead(ahead, &self.policy, &self.authors, self.identifiers.domains());
                    }
                }
                open.extend(log.hand_out());
                open.sort_by_key(|question| {
                    question.name.as_str().bytes().fold(seed, |hash, octet| {
                        (hash ^ u64::from(octet)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
                    })
                });
                let question = open.pop().expect("it waits for something");
                assert!(log.answered(&question, zone.at_hand(&question).unwrap(), None));
            }
        }
    }

    fn names(log: &Log) -> Vec<&str> {
        let texts = log.entries().iter().inspect(|entry| assert_eq!(entry.question().record_type, RecordType::Txt));
        texts.map(|entry| entry.question().name.as_str()).collect()
    }

    fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
        case.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text")))
    }

    fn number(case: &Yaml<'_>, key: &str) -> Option<usize> {
        case.as_mapping_get(key).map(|value| usize::try_from(value.as_integer().unwrap()).unwrap())
    }

    fn words<'y>(case: &'y Yaml<'_>, key: &str) -> Vec<&'y str> {
        text(case, key).unwrap_or_default().split_whitespace().collect()
    }

    fn offered(case: &Yaml<'_>) -> Vec<(Mechanism, Authentication, Domain)> {
        let kinds = [
            ("spf", Mechanism::Spf, Authentication::Passed),
            ("dkim", Mechanism::Dkim, Authentication::Passed),
            ("spf_temperror", Mechanism::Spf, Authentication::TempError),
            ("dkim_temperror", Mechanism::Dkim, Authentication::TempError),
        ];
        let of = |(key, mechanism, authentication)| {
            words(case, key).into_iter().map(move |domain| (mechanism, authentication, Domain::parse(domain).unwrap()))
        };
        kinds.into_iter().flat_map(of).collect()
    }

    const KEYS: [&str; 19] = [
        "name",
        "rule",
        "zone",
        "fail",
        "exhausted",
        "late",
        "from",
        "header",
        "spf",
        "dkim",
        "spf_temperror",
        "dkim_temperror",
        "suffixes",
        "sample",
        "max",
        "unevaluated",
        "want",
        "want_rfc7489",
        "asked",
    ];
    const WANTS: [&str; 13] = [
        "result",
        "author",
        "org",
        "policy_domain",
        "policy",
        "tag",
        "disposition",
        "aligned",
        "reason",
        "lowered",
        "existence",
        "steps",
        "authors",
    ];

    fn zone(case: &Yaml<'_>) -> Zone {
        let name = text(case, "name").unwrap();
        let mut zone = Zone::parse(text(case, "zone").unwrap_or_default(), name).unwrap();
        for failing in words(case, "fail") {
            zone.plant(&Name::parse(failing).unwrap(), RecordType::Txt, LookupError::ServerFailure);
        }
        for (key, error) in [("exhausted", LookupError::OutOfOctets), ("late", LookupError::OutOfTime)] {
            for cut_off in words(case, key) {
                zone.plant(&Name::parse(cut_off).unwrap(), RecordType::Txt, error.clone());
            }
        }
        zone
    }

    fn policy(case: &Yaml<'_>) -> Policy {
        let suffixes = || Arc::new(SuffixList::parse(text(case, "suffixes").unwrap_or("com\nnet\nexample")));
        let editions = match (case.as_mapping_get("want").is_some(), case.as_mapping_get("want_rfc7489").is_some()) {
            (true, true) => Editions::Both(suffixes()),
            (false, true) => Editions::Rfc7489(suffixes()),
            (true, false) => Editions::Rfc9989,
            (false, false) => panic!("nothing is wanted"),
        };
        let mut policy = Policy::by(editions);
        policy.sample = number(case, "sample").map_or(0, |sample| u8::try_from(sample).unwrap());
        policy.max_author_domains = number(case, "max").unwrap_or(policy.max_author_domains);
        if let Some(unevaluated) = text(case, "unevaluated") {
            let named = |disposition: &Disposition| disposition.keyword() == unevaluated;
            policy.unevaluated = Disposition::ALL.into_iter().find(named).unwrap_or_else(|| panic!("{unevaluated}"));
        }
        policy
    }

    fn header(case: &Yaml<'_>) -> String {
        match (text(case, "from"), text(case, "header")) {
            (Some(from), None) => format!("From: {from}\r\n"),
            (None, Some(header)) if header.contains("\r\n") => header.to_owned(),
            (None, Some(header)) => header.replace('\n', "\r\n"),
            _ => panic!("either from or header"),
        }
    }

    /// What is wrong with a case; nothing where all is well.
    fn failures(case: &Yaml<'_>) -> Vec<String> {
        let mut failures = Vec::new();
        for (key, _) in case.as_mapping().unwrap() {
            if !KEYS.contains(&key.as_str().unwrap()) {
                failures.push(format!("unknown key {key:?}"));
            }
        }
        let (zone, header) = (zone(case), header(case));
        let parsed = Header::parse(header.as_bytes());
        let authors = parsed.unwrap_or_else(|error| panic!("{error}: {header:?}")).authors();
        let offered = offered(case);
        let offered = offered.iter().map(|(mechanism, authentication, domain)| (*mechanism, *authentication, domain));
        let evaluated = Evaluated { policy: policy(case), authors, identifiers: Identifiers::for_test(offered) };
        let mut log = Log::default();
        let Ok(Reports { report, rfc7489 }) = evaluated.run(&mut log, &|question| zone.at_hand(question)) else {
            panic!("all is at hand")
        };
        if let Some(want) = case.as_mapping_get("want") {
            assert_eq!(report.edition, Edition::Rfc9989);
            compare(&report, want, "", &mut failures);
        }
        if let Some(want) = case.as_mapping_get("want_rfc7489") {
            let report = rfc7489.as_ref().unwrap_or(&report);
            assert_eq!(report.edition, Edition::Rfc7489);
            compare(report, want, "RFC 7489: ", &mut failures);
        }
        if case.as_mapping_get("asked").is_some() {
            let (names, wanted) = (names(&log), words(case, "asked"));
            if names != wanted {
                failures.push(format!("asked: {}\n      wanted: {}", names.join(" "), wanted.join(" ")));
            }
        }
        // It does not change the reports that answers come late, in any order, and to questions that were asked ahead.
        for seed in 0..6 {
            let (late, late_log) = evaluated.run_late(&zone, seed);
            if (&late.report, &late.rfc7489) != (&report, &rfc7489) {
                failures.push(format!("with late answers (seed {seed}), the reports are others"));
            }
            let mut names = names(&late_log);
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                failures.push(format!("with late answers (seed {seed}), asked twice: {}", twice[0]));
            }
        }
        failures
    }

    fn compare(report: &DmarcReport, want: &Yaml<'_>, edition: &str, failures: &mut Vec<String>) {
        for (key, wanted) in want.as_mapping().unwrap() {
            let (key, wanted) = (key.as_str().unwrap(), wanted.as_str().unwrap_or_else(|| panic!("no text: {key:?}")));
            assert!(WANTS.contains(&key), "{key}");
            let got = shown(report, key);
            let fits = match key {
                "reason" => got.contains(wanted),
                _ => got == wanted,
            };
            if !fits {
                failures.push(format!("{edition}{key}: {got}\n      wanted: {wanted}"));
            }
        }
    }

    fn shown(report: &DmarcReport, key: &str) -> String {
        let domain = |domain: &Option<Domain>| domain.as_ref().map_or("-".to_owned(), Domain::to_string);
        let aligned = [("spf", report.spf_aligned()), ("dkim", report.dkim_aligned())];
        match key {
            "result" => report.result.keyword().to_owned(),
            "author" => domain(&report.author_domain),
            "org" => domain(&report.organizational_domain),
            "policy_domain" => domain(&report.policy_domain),
            "policy" => report.policy.map_or("-", |policy| policy.keyword()).to_owned(),
            "tag" => report.policy_tag.map_or("-", |tag| tag.keyword()).to_owned(),
            "disposition" => report.disposition.keyword().to_owned(),
            "aligned" => aligned.iter().filter(|(_, is)| *is).map(|(by, _)| *by).collect::<Vec<_>>().join(" "),
            "reason" => report.result.to_string(),
            "lowered" => report.lowered.map_or("-".to_owned(), |lowered| lowered.to_string()),
            "existence" => format!("{:?}", report.existence),
            "steps" => report.steps.iter().map(|step| step.domain.to_string()).collect::<Vec<_>>().join(" "),
            "authors" => report
                .authors
                .iter()
                .map(|author| {
                    format!(
                        "{}={}/{}",
                        domain(&author.author_domain),
                        author.result.keyword(),
                        author.disposition.keyword()
                    )
                })
                .collect::<Vec<_>>()
                .join(" "),
            other => panic!("nothing is called {other}"),
        }
    }

    fn run(file: &str, cases: &str) -> (usize, Vec<String>) {
        let cases = Yaml::load_from_str(cases).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut failed = Vec::new();
        for case in &cases {
            let name = text(case, "name").unwrap_or_else(|| panic!("a case of {file} has no name"));
            assert!(text(case, "rule").is_some(), "{file}: {name} says no rule");
            for failure in failures(case) {
                failed.push(format!("{file}: {name}: {failure}"));
            }
        }
        (cases.len(), failed)
    }

    #[test]
    fn cases() {
        let files = [
            ("author.yml", include_str!("../../tests/data/dmarc/author.yml")),
            ("tree_walk.yml", include_str!("../../tests/data/dmarc/tree_walk.yml")),
            ("policy.yml", include_str!("../../tests/data/dmarc/policy.yml")),
            ("alignment.yml", include_str!("../../tests/data/dmarc/alignment.yml")),
            ("errors.yml", include_str!("../../tests/data/dmarc/errors.yml")),
            ("appendix_b.yml", include_str!("../../tests/data/dmarc/appendix_b.yml")),
            ("editions.yml", include_str!("../../tests/data/dmarc/editions.yml")),
        ];
        let mut total = 0;
        let mut failed = Vec::new();
        for (file, cases) in files {
            let (count, failures) = run(file, cases);
            total += count;
            failed.extend(failures);
        }
        println!("{total} DMARC cases");
        assert!(total >= 100, "only {total} cases");
        assert!(failed.is_empty(), "{} failures:\n  {}", failed.len(), failed.join("\n  "));
    }
}

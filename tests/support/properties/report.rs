//! Reports of strangers, in whatever they are wrapped.

use super::{assert_clean, read_pieces::Pieces};
use mailverdict::{
    name::Domain,
    report::{Aggregator, Observation, ReadLimits, Reader, Report, Reporter, Row, read},
    time::UnixTime,
};
use std::io::{self, Cursor};

const LIMITS: ReadLimits =
    ReadLimits { unpacked: 1 << 20, ratio: 500, parts: 20, wrappings: 4, nesting: 16, rows: 10_000 };

/// What is read is read the same again and in pieces, is told in print, and is written so that it is read as the same.
pub(crate) fn report(data: &[u8]) {
    let found = read(&data, LIMITS);
    assert!(!found.is_empty());
    for found in &found {
        assert!(!found.name.chars().any(char::is_control), "{:?}", found.name);
        let findings = match &found.report {
            Err(_) => continue,
            Ok(Report::Aggregate(report)) => {
                let rows = report.rows().unwrap();
                assert_eq!(u64::try_from(rows.len()).unwrap(), report.row_count);
                assert_eq!(rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.count)), report.messages);
                rows.iter().take(20).for_each(assert_is_written_and_read);
                &report.findings
            }
            Ok(Report::Failure(report)) => &report.findings,
            Ok(Report::Tls(report)) => &report.findings,
            Ok(_) => continue,
        };
        assert!(findings.len() <= 120, "{}", findings.len());
        findings.iter().for_each(|finding| assert_clean(&finding.says));
    }
    let whole = outcome(Reader::new(data, LIMITS));
    for piece in [1, 3, 17] {
        assert_eq!(outcome(Reader::new(Pieces(data, piece), LIMITS)), whole);
    }
}

/// Rows, and what is told at the end, or the error.
fn outcome<R: io::Read>(mut reader: Reader<R>) -> (Vec<Row>, String) {
    let mut rows = Vec::new();
    loop {
        match reader.next_row() {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => return (rows, format!("{:?}", reader.finish())),
            Err(error) => return (rows, format!("{error:?}")),
        }
    }
}

/// Whatever its texts are: they end no element, and they come back but for what XML does not have.
fn assert_is_written_and_read(row: &Row) {
    let mut json = serde_json::to_value(row).unwrap();
    let about = serde_json::json!({
        "policy_domain": "contoso.com", "policy": {"p": "none"}, "discovery_method": null, "rua": [], "errors": [],
    });
    json.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
    let observation: Observation = serde_json::from_value(json).unwrap();
    let mut aggregator = Aggregator::new(std::env::temp_dir(), usize::MAX);
    aggregator.add(observation).unwrap();
    let submitter = Domain::parse("mx.example.net").unwrap();
    let reporter = Reporter::new(submitter, "Example", "dmarc@example.net", UnixTime(1), UnixTime(2));
    let mut xml = Cursor::new(Vec::new());
    let written = aggregator.finish(|topic, rows| reporter.write(topic, rows, &mut xml).map(drop));
    written.unwrap();
    let xml = xml.into_inner();
    let mut reader = Reader::new(xml.as_slice(), LIMITS);
    let again = reader.next_row().unwrap().unwrap();
    let (_, findings) = reader.finish().unwrap();
    let is_of_markup = |id: &str| id.starts_with("report-xml") || id.starts_with("report-element-unknown");
    assert!(findings.iter().all(|finding| !is_of_markup(finding.id)), "{findings:?}");
    assert_eq!((again.source_ip, again.count), (row.source_ip, row.count));
    assert_eq!(again.dkim_results.len(), row.dkim_results.len());
    let plain = |text: &Option<Box<str>>| {
        let text = text.as_deref().unwrap_or_default();
        text.chars().filter(|c| !c.is_control() && *c != '\u{fffd}' && !c.is_whitespace()).collect::<String>()
    };
    let texts = |row: &Row| {
        let mut texts = vec![plain(&row.header_from), plain(&row.envelope_from), plain(&row.envelope_to)];
        texts.extend(row.dkim_results.iter().flat_map(|dkim| [plain(&dkim.domain), plain(&dkim.selector)]));
        texts
    };
    let without = |texts: Vec<String>| {
        texts.into_iter().map(|text| text.replace(['\u{fffe}', '\u{ffff}'], "")).collect::<Vec<_>>()
    };
    assert_eq!(without(texts(&again)), without(texts(row)));
}

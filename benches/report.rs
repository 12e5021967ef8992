//! Aggregate reports, read row by row: `cargo bench --features reports --bench report`.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compression, write::GzEncoder};
use mailverdict::report::{ReadLimits, Reader, Report, read};
use std::{fmt::Write as _, hint::black_box, io::Write as _};

/// A report as Google writes it, with so many rows.
fn report(rows: u32) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<feedback>\n  <report_metadata>\n    <org_name>google.com</org_name>\n    \
         <email>noreply@google.com</email>\n    <report_id>1</report_id>\n    <date_range>\n      <begin>1700000000</begin>\n      \
         <end>1700086399</end>\n    </date_range>\n  </report_metadata>\n  <policy_published>\n    <domain>contoso.com</domain>\n    \
         <p>reject</p>\n  </policy_published>\n",
    );
    for row in 0..rows {
        let (third, fourth) = (row >> 8 & 255, row & 255);
        write!(
            xml,
            "  <record>\n    <row>\n      <source_ip>192.0.{third}.{fourth}</source_ip>\n      <count>{}</count>\n      \
             <policy_evaluated>\n        <disposition>none</disposition>\n        <dkim>pass</dkim>\n        <spf>fail</spf>\n      \
             </policy_evaluated>\n    </row>\n    <identifiers>\n      <header_from>contoso.com</header_from>\n    </identifiers>\n    \
             <auth_results>\n      <dkim>\n        <domain>contoso.com</domain>\n        <result>pass</result>\n        \
             <selector>s{row}</selector>\n      </dkim>\n      <spf>\n        <domain>esp.example</domain>\n        \
             <result>pass</result>\n      </spf>\n    </auth_results>\n  </record>\n",
            row % 97
        )
        .unwrap();
    }
    xml + "</feedback>\n"
}

fn benchmarks(c: &mut Criterion) {
    let xml = report(10_000);
    let limits = ReadLimits { ratio: 10_000, ..ReadLimits::default() };
    let mut group = c.benchmark_group("report");
    group.throughput(Throughput::Bytes(u64::try_from(xml.len()).unwrap()));
    group.bench_function("10,000 rows", |b| {
        b.iter(|| {
            let mut reader = Reader::new(xml.as_bytes(), limits);
            let mut messages = 0;
            while let Some(row) = reader.next_row().unwrap() {
                messages += row.count;
            }
            black_box(messages)
        });
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(xml.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    group.bench_function("10,000 rows, packed by gzip, read twice", |b| {
        b.iter(|| {
            let found = read(&packed, limits);
            let Ok(Report::Aggregate(report)) = &found.first().unwrap().report else { return };
            black_box(report.rows().unwrap().len());
        });
    });
    // What a stranger writes to be slow.
    for (name, piece) in [
        ("stray signs", "<"),
        ("tags that never end", "<a b='"),
        ("ends without beginnings", "</a>"),
        ("unknown elements", "<a/>"),
        ("references", "&x;"),
        ("long tags of attributes", "<a b=\"c\" d=\"e\" f=\"g\"/>"),
        ("comments", "<!-- -->"),
    ] {
        let hostile = format!("<feedback>{}", piece.repeat(200_000 / piece.len()));
        group.throughput(Throughput::Bytes(u64::try_from(hostile.len()).unwrap()));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut reader = Reader::new(hostile.as_bytes(), limits);
                while let Ok(Some(row)) = reader.next_row() {
                    black_box(row);
                }
            });
        });
    }
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);

//! Aggregate reports of what a server saw: verdicts are added up, and written with the mail that carries them.
//!
//! `cargo run --features reports --example report_writer -- ZONE OUT CLIENT_IP MAIL_FROM MESSAGE...`

use mailverdict::{
    Authenticator, Message, Session,
    dns::Zone,
    name::Domain,
    report::{Aggregator, Observation, ReportKind, Reporter},
    time::UnixTime,
};
use std::{
    error::Error,
    fs::{self, File},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// Rows that are kept in memory; more stand in files.
const MAX_ROWS: usize = 100_000;

/// Writes a report of each policy domain to a folder, and a mail for each destination that has agreed; their names.
///
/// # Errors
/// Where something cannot be written.
pub fn write(
    authenticator: &Authenticator<Zone>,
    reporter: &Reporter,
    seen: impl IntoIterator<Item = Observation>,
    out: &Path,
) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut aggregator = Aggregator::new(out.to_path_buf(), MAX_ROWS);
    seen.into_iter().try_for_each(|observation| aggregator.add(observation))?;
    let mut written = Vec::new();
    aggregator.finish(|topic, rows| {
        let mut file = File::create(out.join("report.xml"))?;
        let report = reporter.write(topic, rows, &mut file)?;
        let path = out.join(&report.file_name);
        fs::rename(out.join("report.xml"), &path)?;
        written.push(path.clone());
        let record = topic.record().map_err(io::Error::other)?;
        let destinations = runtime.block_on(authenticator.report_destinations(&record, ReportKind::Aggregate));
        let usable = destinations.iter().flat_map(|destination| destination.usable());
        for (number, address) in usable.filter_map(|uri| uri.address()).enumerate() {
            let mail = path.with_extension(format!("{number}.eml"));
            reporter.write_mail(topic, &report, &address, File::open(&path)?, &mut File::create(&mail)?)?;
            written.push(mail);
        }
        Ok::<(), io::Error>(())
    })?;
    Ok(written)
}

#[allow(dead_code, reason = "a test calls the function above")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [zone, out, ip, mail_from, messages @ ..] = &arguments[..] else {
        return Err("report_writer ZONE OUT CLIENT_IP MAIL_FROM MESSAGE...".into());
    };
    let authenticator = Authenticator::new(Zone::read([zone])?);
    let session = Session::new(ip.parse::<IpAddr>()?).with_mail_from(mail_from);
    let mut seen = Vec::new();
    for path in messages {
        let octets = fs::read(path)?;
        let verdict = authenticator.authenticate_at_once(&Message::parse(&octets)?, session.clone());
        seen.extend(Observation::of(&verdict, &session));
    }
    let today = session.received_at.0 / 86_400 * 86_400;
    let (begin, end) = (UnixTime(today), UnixTime(today + 86_399));
    let reporter = Reporter::new(Domain::parse("mx.example.net")?, "Example", "dmarc@example.net", begin, end);
    for path in write(&authenticator, &reporter, seen, Path::new(out))? {
        println!("{}", path.display());
    }
    Ok(())
}

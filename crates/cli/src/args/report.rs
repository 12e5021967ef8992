//! What may be written for reports.

use super::{DNS, OUTPUT, Source};
use crate::examples;
use clap::{Args, Subcommand};
use mailverdict::{name::Domain, time::UnixTime};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

// The headings of the help.
const WHO: &str = "Who reports";
const WHEN: &str = "The period";

/// Which way.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Read what receivers report of a domain's mail: who sends as the domain, what passes, what fails and why.
    ///
    /// Aggregate reports (RFC 9990, RFC 7489), failure reports (RFC 9991) and TLS reports (RFC 8460), in XML, JSON, gzip, zip, mail, mbox
    /// files and folders. Content tells what a file is, never its name. A report that comes twice counts once.
    ///
    /// Exit status: 0 when all was read; 1 when some was not; 2 when nothing was, and for bad usage.
    #[command(after_help = examples::REPORT_READ)]
    Read(Read),
    /// Write aggregate reports (RFC 9990) of what `batch`, or the mail filter, printed on standard input.
    ///
    /// One report for each policy domain and policy, and the mail that carries it, for each destination that has agreed: to be signed for
    /// the domain of --email, and sent. The same input gives the same octets.
    ///
    /// Exit status: 0 when all was read and written; 1 when a line of the input could not be read; 2 for bad usage, and where something
    /// cannot be written.
    #[command(after_help = examples::REPORT_WRITE)]
    Write(Write),
}

#[derive(Debug, Args)]
pub(crate) struct Write {
    /// The domain that reports.
    #[arg(long, value_name = "NAME", help_heading = WHO)]
    pub(crate) submitter: Domain,
    /// The name of the organization that reports.
    #[arg(long, value_name = "NAME", help_heading = WHO)]
    pub(crate) org_name: String,
    /// Its address, from which the mail comes.
    #[arg(long, value_name = "ADDR", help_heading = WHO)]
    pub(crate) email: String,
    /// More of how to reach it.
    #[arg(long, value_name = "TEXT", help_heading = WHO)]
    pub(crate) contact: Option<String>,
    /// Where the period begins: seconds since 1970, or as in 2025-10-06T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = super::time, help_heading = WHEN)]
    pub(crate) begin: UnixTime,
    /// Where it ends. Lines of the mail filter from before or after the period are left out.
    #[arg(long, value_name = "TIME", value_parser = super::time, help_heading = WHEN)]
    pub(crate) end: UnixTime,
    /// Write to this folder, which is made where it is not there.
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// The reports: files, or folders of them, in which links are passed over; `-` reads standard input.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print JSON, an object a line for each report.
    #[arg(long, help_heading = OUTPUT, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print the rows of aggregate reports as CSV (RFC 4180), with a first line of names; lists stand in one column, with spaces between.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) csv: bool,
    /// Write a page for a browser, with charts: one file that asks for nothing; `-` is standard output.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) html: Option<PathBuf>,
    /// What one file may come to, unpacked, in octets.
    #[arg(long, value_name = "OCTETS", default_value_t = 50_000_000, help_heading = OUTPUT)]
    pub(crate) max_unpacked: u64,
    /// Name the hosts of sources by their PTR records in this master file (RFC 1035), without the network; may be given several times.
    #[arg(long = "zone", value_name = "FILE", conflicts_with = "dns", help_heading = DNS)]
    pub(crate) zones: Vec<PathBuf>,
    /// Name the hosts of sources by their PTR records, as this server has them; port 53 where none is given.
    #[arg(long, value_name = "IP:PORT", value_parser = super::server, help_heading = DNS)]
    pub(crate) dns: Option<SocketAddr>,
    /// The time that all questions may take together; fractions are allowed.
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = super::timeout, help_heading = DNS)]
    pub(crate) timeout: Duration,
}

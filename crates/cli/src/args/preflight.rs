//! What may be written for mail that is not sent yet.

use super::{OUTPUT, Source, address, time};
use clap::Args;
use mailverdict::time::UnixTime;
use std::{net::IpAddr, path::PathBuf};

/// The heading of the help.
const PLAN: &str = "What is planned";

#[derive(Debug, Args)]
pub(crate) struct Preflight {
    /// The author, as From will have it, such as alice@example.com.
    #[arg(long, value_name = "ADDR", help_heading = PLAN)]
    pub(crate) from: String,
    /// The envelope's sender; "" or "<>" is the null reverse-path. The address of --from where not given.
    #[arg(long, value_name = "ADDR", help_heading = PLAN)]
    pub(crate) mail_from: Option<String>,
    /// The address of the host that will hand the mail over.
    #[arg(long, value_name = "IP", value_parser = address, help_heading = PLAN)]
    pub(crate) ip: IpAddr,
    /// The name that it will give in HELO or EHLO.
    #[arg(long, value_name = "NAME", help_heading = PLAN)]
    pub(crate) helo: Option<String>,
    /// Take the mail for signed by the key of this domain and selector; may be given several times.
    #[arg(long = "sign", value_name = "DOMAIN/SELECTOR", help_heading = PLAN)]
    pub(crate) signatures: Vec<String>,
    /// Take this message, as it is to be sent, in place of one that is made up.
    #[arg(long, value_name = "FILE", help_heading = PLAN)]
    pub(crate) message: Option<PathBuf>,
    /// Sent at this time: seconds since 1970, or as in 2025-10-06T08:15:05Z. Now, where not given.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = PLAN)]
    pub(crate) at: Option<UnixTime>,
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print JSON.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) json: bool,
}

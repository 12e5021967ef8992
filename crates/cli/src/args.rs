//! What may be written on the command line.

mod preflight;
mod report;
mod sign;

pub(crate) use preflight::Preflight;
pub(crate) use report::{Read as ReportRead, Report, Write as ReportWrite};
pub(crate) use sign::{Keygen, Seal, Sign};

use crate::examples;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use mailverdict::{
    name::Domain,
    received,
    time::{TimeError, UnixTime},
};
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

/// Says whether a mail message is what it claims to be: SPF, DKIM, DMARC and ARC, with reasons.
#[derive(Debug, Parser)]
#[command(name = "mailverdict", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evaluate a message, or several, each by itself.
    ///
    /// Exit status: 0 when a verdict was reached, whatever it is; 2 for bad usage or unreadable input; see --exit-verdict. Of several
    /// messages, those that can be read are evaluated.
    #[command(after_help = examples::CHECK)]
    Check(Check),
    /// Evaluate again what `check --evidence` wrote, without the network.
    ///
    /// Exit status: 0 where the verdict is the recorded one, 1 where it differs, 2 for bad usage and for a file that cannot be used.
    #[command(after_help = examples::REPLAY)]
    Replay(Replay),
    /// Evaluate SPF alone, without a message.
    ///
    /// Exit status: 0 when a result was reached, whatever it is; 2 for bad usage or unreadable input.
    #[command(after_help = examples::SPF)]
    Spf(Spf),
    /// Evaluate many messages: a request a line on standard input, a result a line on standard output, in the same order.
    ///
    /// A request: {"id":"x","ip":"192.0.2.1","helo":"h","mail_from":"a@b","message":"PATH"}, or "message_base64" in place of
    /// "message"; with neither, SPF alone is evaluated. A bad line gives {"id":...,"error":"..."} and the run goes on.
    ///
    /// Where standard error is a terminal, and neither requests nor results are on one, a line there tells how far the run has come.
    ///
    /// Memory: 512 MiB at most for requests, evaluations and results that wait for earlier ones, beside a few MiB for each
    /// job, the line that is being read, and what the earliest request needs, which is up to 1.5 GiB. A line may have 128 MiB,
    /// a message 256 MiB, its header 8 MiB, and "helo" and "mail_from" 64 KiB.
    ///
    /// Exit status: 0 when all lines were answered, whatever the answers are; 2 for bad usage, input that cannot be read or output
    /// that cannot be written; 130 after SIGINT: what was begun is finished and written first, unless SIGINT comes a second time.
    #[command(after_help = examples::BATCH)]
    Batch(Batch),
    /// Look at what a domain publishes: its SPF, DMARC and key records, as receivers will read them, before mail is sent.
    ///
    /// With `-` in the place of the domain, names are read from standard input, a name a line, and what is found is printed as JSON, a
    /// line for each in the same order; a line that is no name gives {"domain":"...","error":"..."} and the run goes on.
    ///
    /// Exit status: 75 where the DNS left something open, else 1 where a finding is an error, else 0; 2 for bad usage and for a name that
    /// is none. Of several domains, 2 comes before 75, and 75 before 1.
    #[command(after_help = examples::LINT)]
    Lint(Lint),
    /// Say whether mail would pass, before it is sent: directly, forwarded, through a list; and what large receivers ask for.
    ///
    /// No key and no network of the sender is needed: a planned signature is taken to be made by whoever has the key that is published.
    ///
    /// Exit status: 75 where the DNS left something open, else 1 where DMARC would fail for mail that is sent directly, or what a receiver
    /// asks of all senders is not met, else 0; 2 for bad usage or unreadable input.
    #[command(after_help = examples::PREFLIGHT)]
    Preflight(Preflight),
    /// Read reports of receivers, or write reports of what was seen.
    #[command(subcommand)]
    Report(Report),
    /// Make a key to sign with, and print its record.
    ///
    /// Exit status: 0 when the key is written; 2 for bad usage and for a file that is there already or cannot be written.
    #[command(after_help = examples::KEYGEN)]
    Keygen(Keygen),
    /// Sign a message with DKIM; the signed message goes to standard output.
    ///
    /// With several keys, --domain, --selector and --key are repeated in step.
    ///
    /// Exit status: 0 when it is signed; 1 where --check finds that it does not verify, and nothing is written; 2 for bad usage, a key that
    /// cannot be used, and a message that is not fit to be signed.
    #[command(after_help = examples::SIGN)]
    Sign(Sign),
    /// Seal a message that is handed on: an ARC set on top of it says what was found; it goes to standard output.
    ///
    /// Without --ip the set reports what the message's own Authentication-Results of --authserv-id say; those of strangers must have been
    /// removed when it came in.
    ///
    /// Exit status: 0 when it is sealed; 1 where its chain failed or is full, and it is written as it was, and where --check finds that
    /// the chain does not hold, and nothing is written; 2 for bad usage, a key that cannot be used, and a message that is not fit to be
    /// sealed.
    #[command(after_help = examples::SEAL)]
    Seal(Seal),
    /// Print the completions of a shell, for it to read.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the JSON Schema of what a command prints with `--json`, and `batch` in each line.
    #[command(after_help = examples::SCHEMA)]
    Schema {
        /// The command.
        #[arg(value_enum, default_value = "check")]
        of: SchemaOf,
    },
    /// Print the manual page, or that of a command.
    #[command(after_help = examples::MAN)]
    Man {
        /// The command, such as `check`, or `report read`.
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The messages, each a file in the format of RFC 5322, or an mbox file of several; `-`, or none at all, reads standard input.
    #[arg(value_name = "MESSAGE")]
    pub(crate) messages: Vec<PathBuf>,
    /// The address of the client that handed over the message; taken from the Received fields where not given.
    #[arg(long, value_name = "IP", value_parser = address, help_heading = SESSION)]
    pub(crate) ip: Option<IpAddr>,
    #[command(flatten)]
    pub(crate) client: Client,
    #[command(flatten)]
    pub(crate) way: Way,
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Take the message octet for octet: do not make CRLF of bare LF line ends, nor pass over a byte order mark, nor take quotes from
    /// an mbox file.
    #[arg(long, help_heading = RULES)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The name under which the header fields report; --receiver where not given, and `localhost` without that.
    #[arg(long, value_name = "NAME", help_heading = OUTPUT)]
    pub(crate) authserv_id: Option<String>,
    /// Write the evidence of the verdict to this file: what went in, and what the DNS answered; see `replay`. It holds the whole message, unless it is redacted.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) evidence: Option<PathBuf>,
    /// Leave the body out of the evidence, and put marks in the place of local parts; it still leads to the same results.
    #[arg(long, requires = "evidence", help_heading = OUTPUT)]
    pub(crate) redact: bool,
    /// Write the verdict to this file as one page of HTML, which asks for nothing and runs nothing; `-` prints it in place of the text. It
    /// shows what is in the message, redacted evidence or not.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) html: Option<PathBuf>,
    /// Show the hops of the message, the newest first.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) hops: bool,
    /// Exit with 1 where DMARC's disposition is reject, override or not, with 4 where it is quarantine, with 3 where it is not known
    /// without the client, and with 75 where DMARC's result is temperror.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) exit_verdict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// The domain; `-` reads domains from standard input, one a line.
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// Look at the key of this selector as well; may be given several times.
    #[arg(long = "selector", value_name = "S", help_heading = MAIL)]
    pub(crate) selectors: Vec<String>,
    /// Look at the keys of the signatures of this message as well, and at the domain of its Return-Path; may be given several times.
    #[arg(long = "message", value_name = "FILE", help_heading = MAIL)]
    pub(crate) messages: Vec<PathBuf>,
    /// Look at the keys of the domain that these reports of receivers tell of as well, as `report read` takes them; may be given several
    /// times.
    #[arg(long = "report", value_name = "PATH", help_heading = MAIL)]
    pub(crate) reports: Vec<PathBuf>,
    /// Say what this host meets that sends for the domain: its name, and what SPF comes to; may be given several times.
    #[arg(long = "sender-ip", value_name = "IP", value_parser = address, help_heading = MAIL)]
    pub(crate) senders: Vec<IpAddr>,
    /// Look as if at this time (macro %{t} of explanations): seconds since 1970, or as in 2025-10-06T08:15:05Z.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = MAIL)]
    pub(crate) at: Option<UnixTime>,
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print JSON.
    #[arg(long, conflicts_with = "quiet", help_heading = OUTPUT)]
    pub(crate) json: bool,
    /// Write what was found to this file as one page of HTML, which asks for nothing and runs nothing; `-` prints it in place of the text.
    #[arg(long, value_name = "FILE", conflicts_with = "json", help_heading = OUTPUT)]
    pub(crate) html: Option<PathBuf>,
    /// Print nothing: the exit status tells.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The evidence.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Answer for the names of this master file (RFC 1035) from it, and for others from the evidence: what if these records were
    /// otherwise. A type that such a name lacks has no records. May be given several times.
    #[arg(long = "zone", value_name = "OVERLAY", help_heading = DNS)]
    pub(crate) zones: Vec<PathBuf>,
    /// Evaluate as if at this time: seconds since 1970, or as in 2025-10-06T08:15:05Z. When the message was received, where not given.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = RULES)]
    pub(crate) at: Option<UnixTime>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Write the verdict, and in what it differs from the recorded one, to this file as one page of HTML, which asks for nothing and runs
    /// nothing; `-` prints it in place of the text.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) html: Option<PathBuf>,
}

// The headings of the help.
const SESSION: &str = "The SMTP session";
const BORDER: &str = "The session of a saved message, from its Received fields";
const DNS: &str = "The DNS";
const RULES: &str = "How messages are judged";
const OUTPUT: &str = "Output";
const MAIL: &str = "What is known of its mail";

/// Which of the hops, as the Received fields tell them, handed the message over.
#[derive(Debug, Args)]
#[command(next_help_heading = BORDER)]
pub(crate) struct Way {
    /// Take the client's address, HELO and the time from this hop, counted from the newest: the one that handed the message over to
    /// own hosts.
    #[arg(long, value_name = "N", conflicts_with = "ip")]
    pub(crate) border: Option<NonZeroUsize>,
    /// Take them from the newest hop whose client is in none of these networks; may be given several times. Loopback, link-local and
    /// private addresses are own in any case.
    #[arg(long = "own-network", value_name = "CIDR", value_parser = network, conflicts_with_all = ["ip", "border"])]
    pub(crate) own_networks: Vec<IpNet>,
}

#[derive(Debug, Args)]
pub(crate) struct Spf {
    /// The address of the client.
    #[arg(long, value_name = "IP", value_parser = address, help_heading = SESSION)]
    pub(crate) ip: IpAddr,
    #[command(flatten)]
    pub(crate) client: Client,
    /// Evaluate as if at this time (macro %{t}): seconds since 1970, or as in 2025-10-06T08:15:05Z.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = SESSION)]
    pub(crate) at: Option<UnixTime>,
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Batch {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// How many messages are evaluated at the same time; by default as many as there are processors, and sixteen times as many
    /// where answers come over the network; at most 4096.
    #[arg(long, value_name = "N", help_heading = OUTPUT)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// The name of the receiving host: macro %{r} of SPF.
    #[arg(long, value_name = "NAME", help_heading = RULES)]
    pub(crate) receiver: Option<Domain>,
    /// The name under which the header fields report; --receiver where not given, and `localhost` without that.
    #[arg(long, value_name = "NAME", help_heading = OUTPUT)]
    pub(crate) authserv_id: Option<String>,
    /// Say of each signature that does not verify what changed since it was made, which takes up to half a second for a message.
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) changes: bool,
}

/// What the SMTP session showed.
#[derive(Debug, Args)]
#[command(next_help_heading = SESSION)]
pub(crate) struct Client {
    /// The name that the client gave in HELO or EHLO.
    #[arg(long, value_name = "NAME")]
    pub(crate) helo: Option<String>,
    /// The envelope's sender; "" or "<>" is the null reverse-path. Where it is not given, `check` and `seal` take it from Return-Path.
    #[arg(long, value_name = "ADDR")]
    pub(crate) mail_from: Option<String>,
    /// The name of the receiving host: macro %{r} of SPF.
    #[arg(long, value_name = "NAME")]
    pub(crate) receiver: Option<Domain>,
}

/// Where answers of the DNS come from: the system's resolver, unless said otherwise.
#[derive(Debug, Args)]
#[command(next_help_heading = DNS)]
pub(crate) struct Source {
    /// Answer from this master file (RFC 1035) and do not touch the network; may be given several times.
    #[arg(long = "zone", value_name = "FILE", conflicts_with = "dns")]
    pub(crate) zones: Vec<PathBuf>,
    /// Ask this server, over UDP, and over TCP after truncation; port 53 where none is given.
    #[arg(long, value_name = "IP:PORT", value_parser = server)]
    pub(crate) dns: Option<SocketAddr>,
    /// The time that one evaluation may take, a question a quarter of that, and 5 seconds at most; fractions are allowed.
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = timeout)]
    pub(crate) timeout: Duration,
}

/// How messages are judged.
#[derive(Debug, Args)]
#[command(next_help_heading = RULES)]
pub(crate) struct Rules {
    /// Evaluate as if at this time (x= and t= of signatures, macro %{t}): seconds since 1970, or as in 2025-10-06T08:15:05Z. Now, where
    /// not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<UnixTime>,
    /// The edition of DMARC; `both` evaluates by RFC 9989 and reports what RFC 7489 says beside it.
    #[arg(long, value_enum, default_value = "rfc9989")]
    pub(crate) dmarc: Edition,
    /// Take the word of this ARC sealer (d= of ARC-Seal) about the original results; may be given several times.
    #[arg(long = "trusted-sealer", value_name = "DOMAIN")]
    pub(crate) trusted_sealers: Vec<Domain>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct Output {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Tell how the results came about: each step of SPF, each question to the DNS, and of a message what is wrong with a signature.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Show the header fields that report the results, ready to paste.
    #[arg(long)]
    pub(crate) headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Edition {
    Rfc9989,
    Rfc7489,
    Both,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    Check,
    Spf,
    Batch,
    Lint,
    Preflight,
    Report,
}

/// Seconds, or RFC 3339.
fn time(text: &str) -> Result<UnixTime, String> {
    let expected = "expected whole seconds since 1970, or a time such as 2025-10-06T08:15:05Z";
    text.parse().map(UnixTime).or_else(|_| text.parse()).map_err(|_: TimeError| expected.to_owned())
}

/// As logs write it.
fn address(text: &str) -> Result<IpAddr, String> {
    received::address(text)
        .ok_or_else(|| "expected an address, such as 192.0.2.1, 2001:db8::1 or [2001:db8::1]:25".to_owned())
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| alone()).map_err(|_| "expected a network, such as 192.0.2.0/24".to_owned())
}

fn server(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>();
    let bare = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    with_port.or_else(|_| bare()).map_err(|_| "expected an address and a port, such as 192.0.2.53:53".to_owned())
}

/// The longest `--timeout`: a day.
const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);

fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|limit| !limit.is_zero() && *limit <= MAX_TIMEOUT)
        .ok_or_else(|| "expected a number of seconds above 0 and not above 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn seconds_may_have_fractions_and_have_bounds() {
        assert_eq!(timeout("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(timeout("86400"), Ok(MAX_TIMEOUT));
        for bad in ["0", "-1", "86401", "inf", "NaN", "", "1s"] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_an_address_with_or_without_a_port() {
        assert_eq!(server("192.0.2.53:5353"), Ok("192.0.2.53:5353".parse().unwrap()));
        assert_eq!(server("2001:db8::53"), Ok("[2001:db8::53]:53".parse().unwrap()));
        assert!(server("localhost:53").is_err());
    }
}

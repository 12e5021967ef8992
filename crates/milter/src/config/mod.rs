//! The configuration: a file of TOML, every key of which has a default but `authserv_id`.

mod address;
mod size;
mod text;

pub use address::Listen;
pub use size::Size;

use ipnet::IpNet;
use mailverdict::{dmarc::Disposition, name::Domain};
use serde::Deserialize;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// What is configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where mail servers connect.
    #[serde(default)]
    pub listen: Vec<Listen>,
    /// The permissions of a socket in the file system, in octal.
    #[serde(default = "socket_mode", deserialize_with = "text::mode")]
    pub socket_mode: u32,
    /// The group of a socket in the file system.
    pub socket_group: Option<String>,
    /// The account that is gone on with, where the program was started as root.
    pub user: Option<String>,
    /// Who evaluates, in the field that tells of it (RFC 8601 §2.5).
    #[serde(deserialize_with = "text::authserv_id")]
    pub authserv_id: String,
    /// Names of other hosts of the receiver, results by which are forged when they come in as well.
    #[serde(default)]
    pub strip_authserv_ids: Vec<String>,
    /// Clients that are not evaluated: mail from inside.
    #[serde(default = "own_networks", deserialize_with = "text::networks")]
    pub own_networks: Vec<IpNet>,
    /// Clients that have authenticated themselves are not evaluated either.
    #[serde(default = "yes")]
    pub skip_authenticated: bool,
    /// Clients behind which the true client stands in Received.
    #[serde(default, deserialize_with = "text::networks")]
    pub upstream_relays: Vec<IpNet>,
    /// Evaluate and log, change nothing, refuse nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// The DNS.
    #[serde(default)]
    pub dns: Dns,
    /// What is taken of one client.
    #[serde(default)]
    pub limits: Limits,
    /// What results come to.
    #[serde(default)]
    pub actions: Actions,
    /// Which fields are written and removed.
    #[serde(default)]
    pub headers: Headers,
    /// Whose word about forwarded mail is taken.
    #[serde(default)]
    pub arc: Arc,
    /// What reports to domain owners are made of.
    #[serde(default)]
    pub reports: Reports,
    /// The keys that mail is signed with.
    #[serde(default)]
    pub sign: Vec<Sign>,
    /// The log.
    #[serde(default)]
    pub log: Log,
    /// Numbers for those who watch.
    #[serde(default)]
    pub metrics: Metrics,
}

/// Who answers questions to the DNS.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// Servers; the system's where there is none.
    #[serde(deserialize_with = "text::servers")]
    pub servers: Vec<SocketAddr>,
    /// How long the evaluation of one message may wait for answers.
    #[serde(deserialize_with = "text::seconds")]
    pub timeout: Duration,
    /// Master files that answer in place of servers, for tests.
    pub zone: Vec<PathBuf>,
}

/// What is taken of one client.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Octets of a body.
    pub body: Size,
    /// Connections at the same time.
    pub connections: usize,
    /// Octets of a header.
    pub headers: Size,
    /// How long a mail server may say nothing.
    #[serde(deserialize_with = "text::seconds")]
    pub idle: Duration,
    /// How long messages may take that are begun when the program is to end.
    #[serde(deserialize_with = "text::seconds")]
    pub shutdown: Duration,
}

/// What a message comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It goes on.
    None,
    /// It goes on with a field that says what would have been done.
    AddHeader,
    /// The mail server holds it.
    Quarantine,
    /// It is refused.
    Reject,
    /// It is put off.
    Tempfail,
}

impl Action {
    /// The word of the configuration.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AddHeader => "add-header",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
            Self::Tempfail => "tempfail",
        }
    }

    /// What a report to the domain owner says was done.
    pub fn disposition(self) -> Disposition {
        match self {
            Self::None | Self::AddHeader | Self::Tempfail => Disposition::None,
            Self::Quarantine => Disposition::Quarantine,
            Self::Reject => Disposition::Reject,
        }
    }
}

/// What results come to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    /// Where the domain owner asks to reject (RFC 9989 §7.4 leaves it to the receiver).
    pub dmarc_reject: Action,
    /// Where the domain owner asks to quarantine.
    pub dmarc_quarantine: Action,
    /// Where DMARC could not be evaluated now.
    pub dmarc_temperror: Action,
    /// Where SPF fails and DMARC says nothing.
    pub spf_fail: Action,
    /// Where From names several author domains.
    pub several_from: Action,
    /// Where a message is larger than is taken.
    pub over_limit: Action,
}

/// Which fields are written and removed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Headers {
    /// Write Authentication-Results.
    pub authentication_results: bool,
    /// Write Received-SPF.
    pub received_spf: bool,
    /// Remove forged Authentication-Results.
    pub strip_forged: bool,
}

/// Whose word about forwarded mail is taken.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Arc {
    /// Sealers (`d=` of ARC-Seal).
    #[serde(deserialize_with = "text::domains")]
    pub trusted_sealers: Vec<Domain>,
}

/// What reports to domain owners are made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reports {
    /// The file of results, a line each.
    pub history: Option<PathBuf>,
    /// Octets of it, after which another one is begun.
    pub history_size: Size,
}

/// The log.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Lines of JSON, or for people.
    pub format: LogFormat,
    /// The least that is told.
    pub level: LogLevel,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// `name=value`, a line each.
    Text,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Of use to those who look for a fault.
    Debug,
    /// Each message.
    Info,
    /// Refused mail, and what is not as it should be.
    Warn,
    /// What has to be mended.
    Error,
}

impl LogLevel {
    /// The level in a word.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A key that mail is signed with: for authors of these domains, handed over by these clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// Exactly these domains of From.
    pub domains: Vec<String>,
    /// The selector (`s=`).
    pub selector: String,
    /// The private key, as `mailverdict keygen` writes it.
    pub key: PathBuf,
    /// Clients whose mail is signed.
    #[serde(default = "own_networks", deserialize_with = "text::networks")]
    pub from_networks: Vec<IpNet>,
    /// Clients that have authenticated themselves are signed for as well.
    #[serde(default = "yes")]
    pub authenticated: bool,
}

/// Numbers for those who watch.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where they are asked for.
    #[serde(deserialize_with = "text::socket")]
    pub listen: Option<SocketAddr>,
}

fn socket_mode() -> u32 {
    0o660
}

fn yes() -> bool {
    true
}

fn own_networks() -> Vec<IpNet> {
    [IpAddr::from([127, 0, 0, 0]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]
        .into_iter()
        .zip([8, 128])
        .filter_map(|(address, prefix)| IpNet::new(address, prefix).ok())
        .collect()
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: Duration::from_secs(20), zone: Vec::new() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: Size(64 << 20),
            connections: 512,
            headers: Size(1 << 20),
            idle: Duration::from_secs(7200),
            shutdown: Duration::from_secs(30),
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            dmarc_reject: Action::Quarantine,
            dmarc_quarantine: Action::Quarantine,
            dmarc_temperror: Action::None,
            spf_fail: Action::None,
            several_from: Action::Reject,
            over_limit: Action::Tempfail,
        }
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self { authentication_results: true, received_spf: false, strip_forged: true }
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self { history: None, history_size: Size(64 << 20) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: LogLevel::Info }
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// A key or a value is none; the line counts from 1.
    Bad {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read the configuration {}: {error}", path.display()),
            Self::Bad { path, line, what } => write!(f, "{}:{line}: {what}", path.display()),
        }
    }
}

impl Config {
    /// With all defaults.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn of(authserv_id: &str) -> Result<Self, ConfigError> {
        Self::parse(&format!("authserv_id = {}", serde_json::Value::from(authserv_id)), Path::new("--authserv-id"))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`], with the line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_path_buf(), error))?;
        Self::parse(&text, path)
    }

    /// Reads a text; `path` is told where it is bad.
    ///
    /// # Errors
    /// [`ConfigError::Bad`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| bad(text, path, &error))?;
        Ok(config)
    }

    /// Whether a client is one of the receiver's own.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        self.own_networks.iter().any(|network| network.contains(&ip))
    }

    /// Whether a client hands on mail of others.
    pub fn is_relay(&self, ip: IpAddr) -> bool {
        self.upstream_relays.iter().any(|network| network.contains(&ip))
    }
}

fn bad(text: &str, path: &Path, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    let message = error.message().replace('\n', " ");
    let what = match key {
        Some(key) if !message.contains(&format!("`{key}`")) && !key.is_empty() => format!("{key}: {message}"),
        Some(_) | None => message,
    };
    ConfigError::Bad { path: path.to_path_buf(), line, what }
}

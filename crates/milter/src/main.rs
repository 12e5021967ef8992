//! `mailverdict-milter`: SPF, DKIM, DMARC and ARC inside a mail server.

use clap::Parser;
use mailverdict_milter::{
    config::{Config, Listen, LogLevel},
    server,
    shared::Shared,
    socket::Socket,
};
use nix::unistd::{User, geteuid, initgroups, setgid, setuid};
use std::{ffi::CString, io::Write as _, net::TcpListener, path::PathBuf, process::ExitCode, sync::Arc};

/// Bad usage, or a configuration that cannot be run.
const EXIT_FAILURE: u8 = 2;

/// A mail filter for Postfix and Sendmail: SPF, DKIM, DMARC and ARC in one process, with reasons.
///
/// SIGTERM ends it once the messages are done that were begun. SIGHUP has it read its configuration again.
///
/// Exit status: 0 when it was told to end, or when the configuration can be run; 2 else.
#[derive(Debug, Parser)]
#[command(name = "mailverdict-milter", version, max_term_width = 100)]
struct Arguments {
    /// The configuration; mailverdict-milter.toml shows each key with its default.
    #[arg(long, value_name = "FILE", required_unless_present = "authserv_id")]
    config: Option<PathBuf>,
    /// Say what is wrong with the configuration, and end.
    #[arg(long)]
    check_config: bool,
    /// Listen here, whatever the configuration says: inet:HOST:PORT, or unix:PATH; may be given several times.
    #[arg(long, value_name = "PLACE")]
    listen: Vec<Listen>,
    /// Without a configuration: the name in Authentication-Results.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    authserv_id: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Nothing more can be said where standard error is closed.
            let _ = writeln!(std::io::stderr(), "mailverdict-milter: {}", why.escape_debug());
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut config = match (&arguments.config, &arguments.authserv_id) {
        (Some(path), _) => Config::read(path).map_err(|error| error.to_string())?,
        (None, id) => Config::of(id.as_deref().unwrap_or_default()).map_err(|error| error.to_string())?,
    };
    if !arguments.listen.is_empty() {
        config.listen.clone_from(&arguments.listen);
    }
    if config.listen.is_empty() {
        return Err("nothing says where to listen: set listen = [\"inet:127.0.0.1:8891\"]".to_owned());
    }
    if arguments.check_config {
        return check(config);
    }
    let sockets: Result<Vec<Socket>, _> = config.listen.iter().map(|place| Socket::open(place, &config)).collect();
    let sockets = sockets.map_err(|error| error.to_string())?;
    let metrics = config.metrics.listen.map(|address| {
        let listener =
            TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        listener.map_err(|error| format!("cannot listen at {address} for those who ask for numbers: {error}"))
    });
    let metrics = metrics.transpose()?;
    let is_root = drop_privileges(config.user.as_deref())?;
    let shared = Arc::new(Shared::of(config).map_err(|error| error.to_string())?);
    if is_root {
        shared.log().event(LogLevel::Warn, "running as root: set user to an account of its own");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let served = runtime.block_on(server::serve(shared, sockets, metrics, arguments.config.clone()));
    // Messages that took too long are given up with their tasks.
    runtime.shutdown_background();
    served.map_err(|error| format!("cannot serve: {error}"))
}

/// All that can be seen without listening and without writing.
fn check(mut config: Config) -> Result<(), String> {
    config.reports.history = None;
    Shared::of(config).map(|_| ()).map_err(|error| error.to_string())
}

/// Where the program was started as root, it goes on as this account; whether it is root still.
fn drop_privileges(user: Option<&str>) -> Result<bool, String> {
    if !geteuid().is_root() {
        return Ok(false);
    }
    let Some(name) = user else { return Ok(true) };
    let user = User::from_name(name).map_err(|error| format!("user: {error}"))?;
    let user = user.ok_or_else(|| format!("user: there is no account \"{name}\""))?;
    let c_name = CString::new(name).map_err(|error| format!("user: {error}"))?;
    initgroups(&c_name, user.gid)
        .and_then(|()| setgid(user.gid))
        .and_then(|()| setuid(user.uid))
        .map_err(|error| format!("user: cannot go on as \"{name}\": {error}"))?;
    Ok(false)
}

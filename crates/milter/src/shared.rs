//! What all connections share.

use crate::{
    cannot_run::CannotRun,
    config::{Action, Config, LogLevel},
    connection::Surroundings,
    history::History,
    log::Log,
    mail::Outcome,
    metrics::Metrics,
    running::Running,
    told::{self, Told},
};
use mailverdict::{
    json::{Evaluated, Reported},
    message::Header,
};
use serde::Serialize;
use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::watch;

/// The configuration that serves now, with the files that belong to it; and numbers.
#[derive(Debug)]
pub struct Shared {
    serving: RwLock<Serving>,
    /// What is counted.
    pub metrics: Metrics,
    ending: watch::Sender<bool>,
}

#[derive(Clone, Debug)]
struct Serving {
    running: Arc<Running>,
    history: Option<Arc<History>>,
}

impl Serving {
    fn of(config: Config) -> Result<Self, CannotRun> {
        let history = config.reports.history.as_deref().map(|path| {
            History::open(path, config.reports.history_size.0)
                .map_err(|error| CannotRun::of_file("cannot write the history", path, &error))
        });
        Ok(Self { history: history.transpose()?.map(Arc::new), running: Arc::new(Running::of(config)?) })
    }
}

/// A line of the history: what `mailverdict batch` prints, with the id that the mail server gave, and the time.
#[derive(Serialize)]
struct Line<'l> {
    queue_id: Option<&'l str>,
    time: u64,
    #[serde(flatten)]
    evaluated: Evaluated<'l>,
}

impl Shared {
    /// With this configuration.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub fn of(config: Config) -> Result<Self, CannotRun> {
        let ending = watch::Sender::new(false);
        Ok(Self { serving: RwLock::new(Serving::of(config)?), metrics: Metrics::default(), ending })
    }

    /// From the next message on, this configuration serves.
    ///
    /// # Errors
    /// Why it cannot be run; the one before goes on.
    pub fn reload(&self, config: Config) -> Result<(), CannotRun> {
        let serving = Serving::of(config)?;
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
        Ok(())
    }

    /// No new message begins.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    fn serving(&self) -> Serving {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The log.
    pub fn log(&self) -> Log {
        Log(self.serving().running.config.log)
    }

    fn remember(&self, history: &History, told: &Told<'_>) -> io::Result<()> {
        let (Outcome::Verdict(verdict), Some(log)) = (told.outcome, told.mail.log()) else { return Ok(()) };
        let raw = told.mail.raw_header();
        let Ok(header) = Header::parse(&raw) else { return Ok(()) };
        let session = told.mail.session();
        let id = &told.mail.running().config.authserv_id;
        let mut evaluated = Evaluated::of_header(&header, verdict, &session, log, id);
        evaluated.tells_records = false;
        evaluated.reported = Reported::Handled(told.decision.action.disposition());
        let line = Line { queue_id: told.queue_id.as_deref(), time: told.mail.at().0, evaluated };
        history.add(&serde_json::to_string(&line)?)
    }
}

impl Surroundings for Shared {
    fn running(&self) -> Arc<Running> {
        self.serving().running
    }

    fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    async fn ending(&self) {
        let mut ending = self.ending.subscribe();
        // The sender lives as long as this does.
        let _ = ending.wait_for(|is_ending| *is_ending).await;
    }

    fn decided(&self, told: Told<'_>) {
        let line = told.line();
        let is_refused = matches!(told.decision.action, Action::Reject | Action::Tempfail) && !line.dry_run;
        self.log().message(if is_refused { LogLevel::Warn } else { LogLevel::Info }, &line);
        self.metrics.message(line.dmarc.unwrap_or("not_evaluated"), line.action, told.took);
        if let Outcome::Verdict(verdict) = told.outcome {
            let results = [
                ("spf", told::spf(verdict)),
                ("dkim", told::dkim(verdict)),
                ("arc", verdict.arc.result.keyword()),
                ("dmarc", verdict.dmarc.result.keyword()),
            ];
            results.into_iter().for_each(|(method, result)| self.metrics.result(method, result));
        }
        for entry in told.mail.log().into_iter().flat_map(mailverdict::known::Log::entries) {
            self.metrics.questions(outcome(entry), 1);
        }
        if let Some(history) = self.serving().history.filter(|_| told.is_final())
            && let Err(error) = self.remember(&history, &told)
        {
            self.log().event(LogLevel::Error, &format!("cannot write the history: {error}"));
        }
    }

    fn noticed(&self, what: &str) {
        self.log().event(LogLevel::Error, what);
    }
}

fn outcome(entry: &mailverdict::known::Entry) -> &'static str {
    match entry.answer() {
        Some(Ok(_)) => "answered",
        Some(Err(_)) => "failed",
        None => "not_waited_for",
    }
}

//! One line of the input of `batch`, and the line that answers it.

use crate::{
    failure::{Failure, plain},
    input::{MAX_MESSAGE_LEN, with_line_ends},
    json::{self, MessageResults, SpfResults},
    report::{Report, received_spf},
    source::Source,
    style::printable,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{Authenticator, Message, Session, spf::Observers, time::UnixTime};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{fs, net::IpAddr, path::Path};

/// All that the requests of one run have in common.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) authenticator: Authenticator<Source>,
    pub(crate) authserv_id: String,
    pub(crate) receiver: Option<String>,
    pub(crate) at: Option<UnixTime>,
}

/// A line that was answered with an error.
#[derive(Debug, Serialize)]
struct Refusal {
    id: Value,
    error: String,
}

/// A result with the id of its request.
#[derive(Debug, Serialize)]
struct Answer<T> {
    id: Value,
    #[serde(flatten)]
    results: T,
}

impl Run {
    /// The line that answers `line`, with its line end.
    pub(crate) async fn answer(&self, line: &[u8]) -> Result<String, Failure> {
        let request: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(request) => request,
            Err(error) => return refuse(Value::Null, format!("the line is no JSON object: {error}")),
        };
        let id = request.get("id").cloned().unwrap_or_default();
        let (session, octets) = match self.session(&request).and_then(|session| Ok((session, message(&request)?))) {
            Ok(request) => request,
            Err(error) => return refuse(id, error),
        };
        let Some(octets) = octets else { return self.spf_alone(id, &session).await };
        let message = match Message::parse(&octets) {
            Ok(message) => message,
            Err(error) => return refuse(id, error.to_string()),
        };
        let verdict = self.authenticator.authenticate(&message, session.clone()).await;
        let report = Report::new(&message, &verdict, &session, &self.authserv_id);
        json::to_line(&Answer { id, results: MessageResults::from(&report) })
    }

    async fn spf_alone(&self, id: Value, session: &Session) -> Result<String, Failure> {
        if session.peer_ip.is_none() {
            return refuse(id, "without a message, \"ip\" is needed".to_owned());
        }
        let reports = self.authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }).await;
        if reports.helo.is_none() && reports.mail_from.is_none() {
            return refuse(
                id,
                "without a message, \"helo\", or a \"mail_from\" that is not null, is needed".to_owned(),
            );
        }
        json::to_line(&Answer { id, results: SpfResults::new(&reports, received_spf(&reports, session)) })
    }

    fn session(&self, request: &Map<String, Value>) -> Result<Session, String> {
        let mut session = match text(request, "ip")? {
            Some(ip) => Session::new(ip.parse::<IpAddr>().map_err(|_| format!("\"ip\" is no address: \"{ip}\""))?),
            None => Session::without_peer(),
        };
        if let Some(helo) = text(request, "helo")? {
            session = session.with_helo(helo);
        }
        if let Some(mail_from) = text(request, "mail_from")? {
            session = session.with_mail_from(mail_from);
        }
        if let Some(receiver) = &self.receiver {
            session = session.with_receiver(receiver);
        }
        Ok(match self.at {
            Some(at) => session.received_at(at),
            None => session,
        })
    }
}

/// The line that says why there is no result.
pub(crate) fn refuse(id: Value, error: String) -> Result<String, Failure> {
    // A log in which it ends up is read on terminals as well.
    json::to_line(&Refusal { id, error: printable(&error) })
}

/// The message of a request, if it has one.
fn message(request: &Map<String, Value>) -> Result<Option<Vec<u8>>, String> {
    let octets = match (text(request, "message")?, text(request, "message_base64")?) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err("there is \"message\" and \"message_base64\"; one is expected".to_owned()),
        (Some(path), None) => read(Path::new(path)).map_err(|reason| format!("cannot read {path}: {reason}"))?,
        (None, Some(encoded)) => {
            STANDARD.decode(encoded).map_err(|error| format!("\"message_base64\" is no base64: {error}"))?
        }
    };
    Ok(Some(with_line_ends(octets, false)))
}

/// Regular files only: a pipe or a terminal would hold up all that comes after.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = fs::metadata(path).map_err(|error| plain(&error))?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    if metadata.len() > MAX_MESSAGE_LEN {
        return Err(format!("it is larger than {MAX_MESSAGE_LEN} octets"));
    }
    fs::read(path).map_err(|error| plain(&error))
}

/// A text of a request; null is as good as nothing.
fn text<'r>(request: &'r Map<String, Value>, name: &str) -> Result<Option<&'r str>, String> {
    match request.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(format!("\"{name}\" is no text"))
        }
    }
}

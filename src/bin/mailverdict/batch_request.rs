//! One line of the input of `batch`.

use crate::{failure::plain, input::MAX_MESSAGE_LEN};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::Session;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    fmt,
    fs::{self, File},
    io::Read as _,
    net::IpAddr,
};

/// What is asked for, as it stands in the line.
#[derive(Debug, Default)]
pub(crate) struct Request<'l> {
    /// Whatever it is, as it is written.
    id: Option<&'l RawValue>,
    ip: Text<'l>,
    helo: Text<'l>,
    mail_from: Text<'l>,
    message: Text<'l>,
    message_base64: Text<'l>,
}

/// The value of a field that should be a text; null is as good as nothing.
#[derive(Debug, Default)]
enum Text<'l> {
    #[default]
    Absent,
    Present(Cow<'l, str>),
    Other,
}

impl<'l> Request<'l> {
    pub(crate) fn read(line: &'l [u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| format!("the line is no JSON object: {error}"))
    }

    /// As JSON.
    pub(crate) fn id(&self) -> Option<&'l str> {
        self.id.map(RawValue::get)
    }

    /// What the SMTP session showed.
    pub(crate) fn session(&self) -> Result<Session, String> {
        let mut session = match self.ip.named("ip")? {
            Some(ip) => Session::new(ip.parse::<IpAddr>().map_err(|_| format!("\"ip\" is no address: \"{ip}\""))?),
            None => Session::without_peer(),
        };
        if let Some(helo) = self.helo.named("helo")? {
            session = session.with_helo(helo);
        }
        if let Some(mail_from) = self.mail_from.named("mail_from")? {
            session = session.with_mail_from(mail_from);
        }
        Ok(session)
    }

    /// Where the message is, if there is one.
    pub(crate) fn message(&self) -> Result<Option<Octets<'_>>, String> {
        match (self.message.named("message")?, self.message_base64.named("message_base64")?) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err("there is \"message\" and \"message_base64\"; one is expected".to_owned()),
            (Some(path), None) => match file_len(path) {
                Ok(len) => Ok(Some(Octets::File { path, len })),
                Err(reason) => Err(unreadable(path, &reason)),
            },
            (None, Some(encoded)) => Ok(Some(Octets::Base64(encoded))),
        }
    }
}

/// Where a message is to be had from.
#[derive(Debug)]
pub(crate) enum Octets<'r> {
    File { path: &'r str, len: usize },
    Base64(&'r str),
}

impl Octets<'_> {
    /// What reading it takes up beside the request.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::File { len, .. } => *len,
            Self::Base64(_) => 0,
        }
    }

    /// Puts the message in place of what `octets` holds.
    pub(crate) fn read(&self, octets: &mut Vec<u8>) -> Result<(), String> {
        octets.clear();
        match self {
            Self::File { path, len } => read(path, *len, octets).map_err(|reason| unreadable(path, &reason)),
            Self::Base64(encoded) => STANDARD
                .decode_vec(encoded, octets)
                .map_err(|error| format!("\"message_base64\" is no base64: {error}")),
        }
    }
}

impl Text<'_> {
    fn named(&self, name: &str) -> Result<Option<&str>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Present(text) => Ok(Some(text)),
            Self::Other => Err(format!("\"{name}\" is no text")),
        }
    }
}

fn unreadable(path: &str, reason: &str) -> String {
    format!("cannot read {path}: {reason}")
}

/// Regular files only: a pipe or a terminal would hold up all that comes after.
fn file_len(path: &str) -> Result<usize, String> {
    let metadata = fs::metadata(path).map_err(|error| plain(&error))?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    usize::try_from(metadata.len()).ok().filter(|_| metadata.len() <= MAX_MESSAGE_LEN).ok_or_else(too_large)
}

fn read(path: &str, len: usize, octets: &mut Vec<u8>) -> Result<(), String> {
    // What tells no length, as files that the system makes up, is read to its end; else as much as there was.
    let end = if len == 0 { MAX_MESSAGE_LEN + 1 } else { u64::try_from(len).unwrap_or(u64::MAX) };
    octets.reserve_exact(len);
    match File::open(path).and_then(|file| file.take(end).read_to_end(octets)) {
        Ok(read) if u64::try_from(read).is_ok_and(|read| read <= MAX_MESSAGE_LEN) => Ok(()),
        Ok(_) => Err(too_large()),
        Err(error) => Err(plain(&error)),
    }
}

fn too_large() -> String {
    format!("it is larger than {MAX_MESSAGE_LEN} octets")
}

/// The names of fields; others may stand there as well.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Id,
    Ip,
    Helo,
    MailFrom,
    Message,
    MessageBase64,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Request<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequestVisitor;
        impl<'de> Visitor<'de> for RequestVisitor {
            type Value = Request<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            /// Of several fields of one name the last counts.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request<'de>, A::Error> {
                let mut request = Request::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Id => request.id = Some(map.next_value()?),
                        Field::Ip => request.ip = map.next_value()?,
                        Field::Helo => request.helo = map.next_value()?,
                        Field::MailFrom => request.mail_from = map.next_value()?,
                        Field::Message => request.message = map.next_value()?,
                        Field::MessageBase64 => request.message_base64 = map.next_value()?,
                        Field::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(request)
            }
        }
        deserializer.deserialize_map(RequestVisitor)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text::Present(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text::Present(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::Absent)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text::Other)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
                Ok(Text::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
                Ok(Text::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Text<'de>, A::Error> {
                while values.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Text<'de>, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::Other)
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

//! One line of the input of `batch`.

use super::message::Octets;
use crate::style::shortened;
use mailverdict::{Session, received::address};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Deref};

/// Octets of the longest name or address that is evaluated; no line of SMTP is that long (RFC 5321 §4.5.3.1), and it comes back several
/// times in the result.
const MAX_SPOKEN: usize = 64 << 10;

/// What is asked for, as it stands in the line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Request<'l> {
    /// Whatever it is, as JSON.
    pub(crate) id: Option<&'l str>,
    pub(crate) ip: Text<Cow<'l, str>>,
    pub(crate) helo: Text<Cow<'l, str>>,
    pub(crate) mail_from: Text<Cow<'l, str>>,
    pub(crate) message: Text<Cow<'l, str>>,
    /// In base64, if it is a message.
    pub(crate) message_base64: Text<Cow<'l, [u8]>>,
    /// The first name that no member has.
    pub(crate) unknown: Option<String>,
}

/// The value of a field that should be a text; null is as good as nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Text<T> {
    #[default]
    Absent,
    Present(T),
    Other,
}

impl<'l> Request<'l> {
    pub(crate) fn read(line: &'l [u8]) -> Result<Self, String> {
        // What stands in place of an object is told in full there.
        let described = |error: serde_json::Error| shortened(&error.to_string()).into_owned();
        serde_json::from_slice(line).map_err(|error| format!("the line is no JSON object: {}", described(error)))
    }

    /// A name that is written wrongly is not passed over: without what it stands for, the verdict would be another one.
    pub(crate) fn has_known_members(&self) -> Result<(), String> {
        let known = "id, ip, helo, mail_from, message and message_base64";
        let refused = |name: &String| Err(format!("\"{}\" is no member of a request; {known} are", shortened(name)));
        self.unknown.as_ref().map_or(Ok(()), refused)
    }

    /// What the SMTP session showed.
    pub(crate) fn session(&self) -> Result<Session, String> {
        let mut session = match self.ip.named("ip")? {
            Some(ip) => {
                Session::new(address(ip).ok_or_else(|| format!("\"ip\" is no address: \"{}\"", shortened(ip)))?)
            }
            None => Session::without_peer(),
        };
        if let Some(helo) = self.helo.spoken("helo")? {
            session = session.with_helo(helo);
        }
        if let Some(mail_from) = self.mail_from.spoken("mail_from")? {
            session = session.with_mail_from(mail_from);
        }
        Ok(session)
    }

    /// Where the message is, if there is one.
    pub(crate) fn message(&self) -> Result<Option<Octets<'_>>, String> {
        match (self.message.named("message")?, self.message_base64.named("message_base64")?) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err("there is \"message\" and \"message_base64\"; one is expected".to_owned()),
            (Some(path), None) => Octets::of_file(path).map(Some),
            (None, Some(encoded)) => Ok(Some(Octets::Base64(encoded))),
        }
    }
}

impl<T: Deref> Text<T> {
    fn named(&self, name: &str) -> Result<Option<&T::Target>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Present(text) => Ok(Some(text)),
            Self::Other => Err(format!("\"{name}\" is no text")),
        }
    }
}

impl<'l> Text<Cow<'l, str>> {
    fn into_octets(self) -> Text<Cow<'l, [u8]>> {
        match self {
            Self::Absent => Text::Absent,
            Self::Present(Cow::Borrowed(text)) => Text::Present(Cow::Borrowed(text.as_bytes())),
            Self::Present(Cow::Owned(text)) => Text::Present(Cow::Owned(text.into_bytes())),
            Self::Other => Text::Other,
        }
    }

    /// What was said in SMTP.
    fn spoken(&self, name: &str) -> Result<Option<&str>, String> {
        match self.named(name)? {
            Some(text) if text.len() > MAX_SPOKEN => Err(format!("\"{name}\" is longer than {MAX_SPOKEN} octets")),
            text => Ok(text),
        }
    }
}

/// The names of members; no others may stand there.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Id,
    Ip,
    Helo,
    MailFrom,
    Message,
    MessageBase64,
    Other(String),
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
                        Field::Id => request.id = Some(map.next_value::<&RawValue>()?.get()),
                        Field::Ip => request.ip = map.next_value()?,
                        Field::Helo => request.helo = map.next_value()?,
                        Field::MailFrom => request.mail_from = map.next_value()?,
                        Field::Message => request.message = map.next_value()?,
                        Field::MessageBase64 => {
                            request.message_base64 = map.next_value::<Text<Cow<'_, str>>>()?.into_octets();
                        }
                        Field::Other(name) => {
                            map.next_value::<IgnoredAny>()?;
                            request.unknown.get_or_insert(name);
                        }
                    }
                }
                Ok(request)
            }
        }
        deserializer.deserialize_map(RequestVisitor)
    }
}

impl<'de> Deserialize<'de> for Text<Cow<'de, str>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<Cow<'de, str>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text::Present(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text::Present(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text::Absent)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Text::Other)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Text::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Text::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Text::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
                while values.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::Other)
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

//! The DMARC Policy Record, RFC 9989 §4.7 and §4.8.

use super::{
    disposition::Disposition,
    edition::Edition,
    ignored::{Ignored, IgnoredBecause},
    octets::{Part, printable, skip_wsp},
    uri::{ReportUri, uri_list},
};
use crate::{
    dns::LookupError,
    lex::{Origin, SyntaxError, TagSpan, TagSpans},
};

/// A DMARC Policy Record, tag by tag.
///
/// Unknown tags are passed over, malformed values give way to the defaults (RFC 9989 §4.8), and both are kept in
/// [`ignored`](Self::ignored) for those who want to know. Of a tag that is given twice, the first counts. Tag names and values
/// are read without regard to case, as the ABNF of §4.8 has them, but for `DMARC1`.
///
/// ```
/// use mailverdict::dmarc::{Disposition, Mode, Record, Request};
/// let record = Record::parse(b"v=DMARC1; p=reject; adkim=s; fo=0:1:d:s; rua=mailto:dmarc@example.com!10m")?;
/// assert_eq!(record.policy, Request::Valid(Disposition::Reject));
/// assert_eq!(record.dkim_alignment, Mode::Strict);
/// assert!(Record::parse(b"v=DMARC2; p=reject").is_err());
/// # Ok::<(), mailverdict::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Record {
    /// `p`: for the domain itself, and for those below where nothing else is said.
    pub policy: Request,
    /// `sp`: for existing subdomains.
    pub subdomain_policy: Request,
    /// `np`: for subdomains that do not exist; means nothing under RFC 7489.
    pub nonexistent_policy: Request,
    /// `adkim`.
    pub dkim_alignment: Mode,
    /// `aspf`.
    pub spf_alignment: Mode,
    /// `psd`; means nothing under RFC 7489.
    pub public_suffix: PublicSuffix,
    /// `t=y`: the domain owner is testing; means nothing under RFC 7489.
    pub testing: bool,
    /// `rua`: where aggregate reports are to be sent; members that are no URI are left out.
    pub aggregate_reports: Vec<ReportUri>,
    /// `ruf`: where failure reports are to be sent; members that are no URI are left out.
    pub failure_reports: Vec<ReportUri>,
    /// `fo`: which failure reports are asked for; means nothing without `ruf`.
    pub failure_options: FailureOptions,
    /// `pct` of RFC 7489: to how many of 100 messages the policy applies; 100 where it is not stated. Removed by RFC 9989.
    pub percent: u8,
    /// `rf` of RFC 7489 as published. Removed by RFC 9989.
    pub report_format: Option<Box<str>>,
    /// `ri` of RFC 7489 as published, in seconds. Removed by RFC 9989.
    pub report_interval: Option<Box<str>>,
    /// What was passed over, in the order of the record.
    pub ignored: Vec<Ignored>,
    #[cfg_attr(feature = "serde", serde(skip))]
    spans: Origin<TagSpans<14>>,
}

/// What a record says in `p`, `sp` or `np`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Request {
    /// There is no such tag.
    #[default]
    Absent,
    /// One of the three words.
    Valid(Disposition),
    /// Something else, made printable.
    Malformed(Box<str>),
}

/// How near an identifier must be to the author domain (RFC 9989 §3.2.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Mode {
    /// The same organizational domain.
    #[default]
    Relaxed,
    /// The same domain.
    Strict,
}

/// What a record says in `psd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum PublicSuffix {
    /// `y`: the domain is a public suffix domain.
    Yes,
    /// `n`: the domain is an organizational domain.
    No,
    /// `u`, or nothing: the tree walk has to tell.
    #[default]
    Unstated,
}

/// What a record says in `fo` (RFC 9989 §4.7). `0` and `1` exclude each other; where a record has both, both are kept, and
/// `1` asks for all that `0` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FailureOptions {
    /// `0`: when no mechanism produces an aligned pass.
    pub all_fail: bool,
    /// `1`: when any mechanism does not produce an aligned pass.
    pub any_fails: bool,
    /// `d`: when a signature fails, aligned or not.
    pub dkim: bool,
    /// `s`: when SPF fails, aligned or not.
    pub spf: bool,
}

impl Default for FailureOptions {
    fn default() -> Self {
        Self { all_fail: true, any_fails: false, dkim: false, spf: false }
    }
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// Where the text does not begin with `v=DMARC1`, and so is no DMARC record at all (RFC 9989 §4.7, `v`). Nothing else is an
    /// error.
    pub fn parse(text: &[u8]) -> Result<Self, SyntaxError> {
        let mut specs = Part::whole(text).split(b';');
        let version = specs.next().unwrap_or_default();
        check_version(version.text)?;
        let mut record = Self {
            policy: Request::Absent,
            subdomain_policy: Request::Absent,
            nonexistent_policy: Request::Absent,
            dkim_alignment: Mode::Relaxed,
            spf_alignment: Mode::Relaxed,
            public_suffix: PublicSuffix::Unstated,
            testing: false,
            aggregate_reports: Vec::new(),
            failure_reports: Vec::new(),
            failure_options: FailureOptions::default(),
            percent: 100,
            report_format: None,
            report_interval: None,
            ignored: Vec::new(),
            spans: Origin(TagSpans::new(&TAGS)),
        };
        let version = version.trim();
        // `v` is the first of the names.
        record.spans.0.see(0, version.split_once(b'=').and_then(|(_, value)| version.tag_span(value.trim())));
        let mut seen = [false; TAGS.len()];
        for spec in specs {
            let spec = spec.trim();
            if !spec.text.is_empty()
                && let Err((tag, why)) = record.read_tag(spec, &mut seen)
            {
                record.ignored.push(Ignored::new(spec, tag, why));
            }
        }
        Ok(record)
    }

    /// Where the tag of this name, such as `sp`, stands in the text that was read, also where its value is malformed; of a tag that is
    /// given twice, the first. `None` where there is none, or it is not registered.
    ///
    /// ```
    /// use mailverdict::dmarc::Record;
    /// let text = b"v=DMARC1; P = Reject ; sp=x; sp=none";
    /// let record = Record::parse(text)?;
    /// let tag = record.span_of("p").expect("there is a p");
    /// assert_eq!(tag.whole().of(text), Some(&b"P = Reject"[..]));
    /// assert_eq!(tag.value().of(text), Some(&b"Reject"[..]));
    /// assert_eq!(record.span_of("sp").map(|tag| tag.whole().range()), Some(23..27));
    /// # Ok::<(), mailverdict::SyntaxError>(())
    /// ```
    pub fn span_of(&self, tag: &str) -> Option<TagSpan> {
        self.spans.0.named(tag)
    }

    /// `Err` where it is passed over, with the registered tag that it is.
    fn read_tag(
        &mut self,
        spec: Part<'_>,
        seen: &mut [bool; TAGS.len()],
    ) -> Result<(), (Option<&'static str>, IgnoredBecause)> {
        // RFC 9989 §4.8: dmarc-tag = 1*ALPHA equals 1*dmarc-value
        let no_tag = || (registered(spec.text), IgnoredBecause::NoTag);
        let (name, part) = spec.split_once(b'=').ok_or_else(no_tag)?;
        let (name, part) = (name.trim().text, part.trim());
        if name.is_empty() || !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(no_tag());
        }
        let at = TAGS.iter().position(|tag| name.eq_ignore_ascii_case(tag.as_bytes()));
        let at = at.ok_or((None, IgnoredBecause::UnknownTag))?;
        let (tag, seen) = TAGS.get(at).zip(seen.get_mut(at)).ok_or((None, IgnoredBecause::UnknownTag))?;
        if std::mem::replace(seen, true) {
            return Err((Some(tag), IgnoredBecause::Repeated));
        }
        self.spans.0.see(at, spec.tag_span(part));
        self.read_value(tag, part).map_err(|why| (Some(*tag), why))
    }

    fn read_value(&mut self, tag: &'static str, part: Part<'_>) -> Result<(), IgnoredBecause> {
        let value = part.text;
        let malformed = Err(IgnoredBecause::MalformedValue);
        // RFC 9989 §4.10.1: a `p`, `sp` or `np` that is not valid decides over the whole record.
        if let Some(request) = self.request_mut(tag) {
            return match Disposition::ALL.iter().find(|word| is_word(value, word.keyword())) {
                Some(disposition) => {
                    *request = Request::Valid(*disposition);
                    Ok(())
                }
                None => {
                    *request = Request::Malformed(printable(value));
                    malformed
                }
            };
        }
        if value.is_empty() || !value.iter().all(|octet| matches!(octet, 0x20..=0x7e)) {
            return malformed;
        }
        match tag {
            "adkim" => self.dkim_alignment = mode(value).ok_or(IgnoredBecause::MalformedValue)?,
            "aspf" => self.spf_alignment = mode(value).ok_or(IgnoredBecause::MalformedValue)?,
            "psd" => {
                self.public_suffix = match value {
                    b"y" | b"Y" => PublicSuffix::Yes,
                    b"n" | b"N" => PublicSuffix::No,
                    b"u" | b"U" => PublicSuffix::Unstated,
                    _ => return malformed,
                }
            }
            "t" => {
                self.testing = match value {
                    b"y" | b"Y" => true,
                    b"n" | b"N" => false,
                    _ => return malformed,
                }
            }
            "fo" => self.read_failure_options(part),
            "rua" | "ruf" => self.read_uris(tag, part),
            "pct" => {
                // RFC 7489 §6.3: an integer from 0 to 100.
                let number = std::str::from_utf8(value).ok().filter(|_| value.iter().all(u8::is_ascii_digit));
                let percent = number.and_then(|text| text.parse().ok()).filter(|percent| *percent <= 100);
                self.percent = percent.ok_or(IgnoredBecause::MalformedValue)?;
            }
            "rf" => self.report_format = Some(printable(value)),
            "ri" => self.report_interval = Some(printable(value)),
            // `v` again: its place is taken.
            _ => return Err(IgnoredBecause::Repeated),
        }
        Ok(())
    }

    fn request_mut(&mut self, tag: &str) -> Option<&mut Request> {
        match tag {
            "p" => Some(&mut self.policy),
            "sp" => Some(&mut self.subdomain_policy),
            "np" => Some(&mut self.nonexistent_policy),
            _ => None,
        }
    }

    fn read_uris(&mut self, tag: &'static str, list: Part<'_>) {
        for member in uri_list(list) {
            match member {
                Ok(uri) if tag == "rua" => self.aggregate_reports.push(uri),
                Ok(uri) => self.failure_reports.push(uri),
                Err((member, error)) => {
                    self.ignored.push(Ignored::new(member, Some(tag), IgnoredBecause::MalformedUri(error)));
                }
            }
        }
    }

    /// RFC 9989 §4.8, dmarc-fo; what the members say is taken together, even where they contradict each other.
    fn read_failure_options(&mut self, list: Part<'_>) {
        let mut options = FailureOptions { all_fail: false, any_fails: false, dkim: false, spf: false };
        let mut any_known = false;
        for member in list.split(b':') {
            let member = member.trim();
            match member.text {
                b"0" => options.all_fail = true,
                b"1" => options.any_fails = true,
                b"d" | b"D" => options.dkim = true,
                b"s" | b"S" => options.spf = true,
                _ => {
                    self.ignored.push(Ignored::new(member, Some("fo"), IgnoredBecause::MalformedValue));
                    continue;
                }
            }
            any_known = true;
        }
        if any_known {
            self.failure_options = options;
        }
    }

    /// What the record asks for under an edition, with the rule of RFC 9989 §4.10.1 (RFC 7489 §6.6.3) for tags that are not
    /// valid.
    pub fn usability(&self, edition: Edition) -> Usability {
        let tags = [(PolicyTag::P, &self.policy), (PolicyTag::Sp, &self.subdomain_policy)];
        // RFC 7489 knows no `np`, and passes unknown tags over.
        let np = (PolicyTag::Np, &self.nonexistent_policy);
        let np = (edition == Edition::Rfc9989).then_some(np);
        let invalid = tags.into_iter().chain(np).find(|(tag, request)| match request {
            Request::Absent => *tag == PolicyTag::P,
            Request::Valid(_) => false,
            Request::Malformed(_) => true,
        });
        match invalid {
            None => Usability::AsPublished,
            Some((tag, _)) if !self.aggregate_reports.is_empty() => Usability::AsNone(tag),
            Some((tag, _)) => Usability::NotAtAll(tag),
        }
    }

    /// The policy for the domain that publishes the record (`None`) or for a domain below it, and the tag that states it. Is
    /// `none` for a record that is only usable as if it said so.
    pub fn policy_for(&self, edition: Edition, subdomain: Option<&Existence>) -> (Disposition, PolicyTag) {
        let of = |request: &Request| match request {
            Request::Valid(disposition) => Some(*disposition),
            Request::Absent | Request::Malformed(_) => None,
        };
        let p = (of(&self.policy).unwrap_or(Disposition::None), PolicyTag::P);
        if self.usability(edition) != Usability::AsPublished {
            return (Disposition::None, PolicyTag::P);
        }
        let Some(existence) = subdomain else { return p };
        // RFC 9989 §4.7: without `np`, `sp` is for non-existent subdomains as well; without `sp`, `p` is.
        let np = of(&self.nonexistent_policy).map(|disposition| (disposition, PolicyTag::Np));
        let np = np.filter(|_| edition == Edition::Rfc9989 && *existence == Existence::NonExistent);
        np.or(of(&self.subdomain_policy).map(|disposition| (disposition, PolicyTag::Sp))).unwrap_or(p)
    }
}

/// Whether a domain exists, as far as `np` asks (RFC 9989 §3.2.13).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Existence {
    /// The DNS knows the name, or a name below it.
    Exists,
    /// The DNS answered NXDOMAIN.
    NonExistent,
    /// The DNS did not answer; the domain is treated as one that exists.
    Unknown(LookupError),
}

/// What of a record can be used (RFC 9989 §4.10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Usability {
    /// All.
    AsPublished,
    /// This tag is missing or malformed; there is a `rua`, so the record is read as if its policy were `none`.
    AsNone(PolicyTag),
    /// This tag is missing or malformed, and there is no `rua`: DMARC does not apply.
    NotAtAll(PolicyTag),
}

/// The tags that state a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum PolicyTag {
    /// `p`.
    P,
    /// `sp`.
    Sp,
    /// `np`.
    Np,
}

impl PolicyTag {
    /// The tag's name.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::Sp => "sp",
            Self::Np => "np",
        }
    }
}

impl Mode {
    /// The mode in a word.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Strict => "strict",
        }
    }
}

const TAGS: [&str; 14] = ["v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri"];

/// `dmarc-version = "v" equals %s"DMARC1"`, up to the first semicolon.
fn check_version(spec: &[u8]) -> Result<(), SyntaxError> {
    let error = |offset| SyntaxError::new(offset, "v=DMARC1");
    let after_name = spec.strip_prefix(b"v").or_else(|| spec.strip_prefix(b"V")).ok_or(error(0))?;
    let value = skip_wsp(after_name).strip_prefix(b"=").ok_or(error(1))?;
    let value = skip_wsp(value);
    let rest = value.strip_prefix(b"DMARC1").ok_or(error(spec.len() - value.len()))?;
    let rest = skip_wsp(rest);
    if rest.is_empty() { Ok(()) } else { Err(error(spec.len() - rest.len())) }
}

/// The tag whose name a part begins with.
fn registered(part: &[u8]) -> Option<&'static str> {
    let letters = part.iter().take_while(|octet| octet.is_ascii_alphabetic()).count();
    let name = part.get(..letters)?;
    TAGS.into_iter().find(|tag| name.eq_ignore_ascii_case(tag.as_bytes()))
}

fn is_word(value: &[u8], word: &str) -> bool {
    value.eq_ignore_ascii_case(word.as_bytes())
}

fn mode(value: &[u8]) -> Option<Mode> {
    match value {
        b"r" | b"R" => Some(Mode::Relaxed),
        b"s" | b"S" => Some(Mode::Strict),
        _ => None,
    }
}

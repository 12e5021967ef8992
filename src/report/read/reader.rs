//! An aggregate report, read row by row.

use super::{
    super::{
        aggregate::Aggregate,
        deviation::{ReportFinding, quoted},
        row::Row,
    },
    draft::Draft,
    error::ReadError,
    limits::ReadLimits,
    lines::lines,
    markup::Markup,
    place::Place,
};
use quick_xml::{Error, events::BytesRef, events::BytesStart, events::Event};
use std::{borrow::Cow, fmt, io::Read};

/// Characters of a text that are kept.
const MAX_TEXT: usize = 10_000;

/// Reads an aggregate report in XML (RFC 9990, RFC 7489, and what is made of them), row by row.
///
/// Memory does not grow with the report. Who reports, and the policy, may stand behind the rows; so they come at the [end](Self::finish).
///
/// ```
/// use mailverdict::report::{ReadLimits, Reader};
/// let xml = b"<feedback><report_metadata><org_name>example.net</org_name></report_metadata>\
///     <record><row><source_ip>192.0.2.1</source_ip><count>7</count></row></record></feedback>";
/// let mut reader = Reader::new(&xml[..], ReadLimits::default());
/// let mut messages = 0;
/// while let Some(row) = reader.next_row()? {
///     messages += row.count;
/// }
/// let (report, findings) = reader.finish()?;
/// assert_eq!((messages, report.org_name.as_deref()), (7, Some("example.net")));
/// assert_eq!(findings[0].id, "report-element-missing");
/// # Ok::<(), mailverdict::report::ReadError>(())
/// ```
pub struct Reader<R> {
    xml: quick_xml::Reader<Markup<R>>,
    buffer: Vec<u8>,
    /// The elements that are open, from the outermost on.
    open: Vec<Open>,
    /// The text of the element that is open.
    text: String,
    draft: Draft,
    /// The row of the record that has ended.
    row: Option<Row>,
    limits: ReadLimits,
    rows: u64,
    line: u64,
    /// The namespace of the root, and whether there was one.
    namespace: Option<Box<str>>,
    progress: Progress,
}

/// How far a report was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Its root was not seen yet.
    Before,
    Within,
    /// Its root ended.
    Behind,
    /// The file ended.
    Ended,
}

/// An element that is open.
struct Open {
    place: Place,
    /// Its local name.
    name: Cow<'static, str>,
    /// Whether it stands in a record.
    is_in_record: bool,
    /// Whether elements stood in it.
    has_elements: bool,
}

/// What an event comes to. It is handed on for each of them, so it holds no row.
#[derive(Clone, Copy)]
enum Step {
    On,
    /// A record has ended: its row is [`Reader::row`].
    Row,
    End,
}

impl<R: Read> Reader<R> {
    /// Nothing is read yet.
    pub fn new(xml: R, limits: ReadLimits) -> Self {
        let mut xml = quick_xml::Reader::from_reader(Markup::new(xml));
        let config = xml.config_mut();
        // What does not belong together is told by this reader, which knows the schema.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self {
            xml,
            buffer: Vec::new(),
            open: Vec::new(),
            text: String::new(),
            draft: Draft::default(),
            row: None,
            limits,
            rows: 0,
            line: 1,
            namespace: None,
            progress: Progress::Before,
        }
    }

    /// The next row; none where there are no more.
    ///
    /// # Errors
    /// [`ReadError`] where the text is no report, or more than the limits allow.
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let step = match self.xml.read_event_into(&mut buffer) {
                Ok(event) => {
                    let lines = lines(&event);
                    let step = self.event(event);
                    self.line += lines;
                    step
                }
                Err(Error::Io(error)) => Err(ReadError::from(&*error)),
                Err(error) => self.broken(&error),
            };
            self.buffer = buffer;
            match step? {
                Step::On => {}
                Step::Row => return Ok(self.row.take()),
                Step::End => return Ok(None),
            }
        }
    }

    /// The report but for its rows, and where it departs from its format. Rows that were not taken are passed over.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    pub fn finish(mut self) -> Result<(Aggregate, Vec<ReportFinding>), ReadError> {
        while self.next_row()?.is_some() {}
        self.conclude();
        Ok((self.draft.head, self.draft.findings.into_list()))
    }

    /// A report that breaks off is one up to there.
    fn broken(&mut self, error: &Error) -> Result<Step, ReadError> {
        if self.progress == Progress::Before {
            return Err(ReadError::Xml { line: self.line, says: error.to_string().into() });
        }
        self.progress = Progress::Ended;
        let error = quoted(&error.to_string());
        self.add("report-truncated", format!("the report breaks off, and a parser says {error}"));
        Ok(Step::End)
    }

    fn event(&mut self, event: Event<'_>) -> Result<Step, ReadError> {
        match event {
            Event::Start(start) => self.start(&start, false)?,
            Event::Empty(start) => {
                self.start(&start, true)?;
                let name = start.local_name();
                return self.end(name.as_ref());
            }
            Event::End(end) => return self.end(end.local_name().as_ref()),
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(ReadError::DocumentType { line: self.line }),
            Event::Eof => {
                if self.progress == Progress::Before {
                    return Err(ReadError::NoReport("there is no element \"feedback\""));
                }
                if self.progress == Progress::Within {
                    let inner = self.open.last().map_or_else(String::new, |open| open.name.to_string());
                    self.add(
                        "report-truncated",
                        format!("the report breaks off within the element {}", quoted(&inner)),
                    );
                }
                let wrapper = self.open.first().filter(|open| open.place == Place::Outside);
                if self.progress == Progress::Behind
                    && let Some(wrapper) = wrapper
                {
                    let says = format!("the element {} around the report has no end", quoted(&wrapper.name));
                    self.add("report-xml-unclosed", says);
                }
                self.progress = Progress::Ended;
                return Ok(Step::End);
            }
        }
        Ok(Step::On)
    }

    fn start(&mut self, start: &BytesStart<'_>, is_empty: bool) -> Result<(), ReadError> {
        let name = start.local_name();
        let name = name.as_ref();
        let parent = self.open.last();
        let mut place = parent.map_or(Place::Outside, |open| open.place);
        if let Place::Leaf(_) = place {
            // A text that looks like a tag, or the end of the text that is missing.
            let around = self.open.iter().rev().nth(1).map_or(Place::Outside, |open| open.place);
            if around.element(name).is_none() {
                self.stray(start, is_empty);
                return Ok(());
            }
            self.unclosed();
            self.close();
            place = around;
        }
        if self.open.len() >= self.limits.nesting {
            return Err(ReadError::TooDeep { line: self.line, limit: self.limits.nesting });
        }
        let is_within = self.progress == Progress::Within;
        if self.progress == Progress::Behind {
            self.behind();
        }
        let found = if self.progress == Progress::Behind { None } else { place.element(name) };
        let is_in_record = self.open.last().is_some_and(|open| open.is_in_record || open.place == Place::Record);
        if let Some(open) = self.open.last_mut() {
            open.has_elements = true;
        }
        let (known, inner) = match found {
            Some((known, inner)) => {
                if known != name {
                    let says = format!("the element \"{known}\" is written {}", quoted(name));
                    self.add("report-element-capitals", says);
                }
                (Cow::Borrowed(known), inner)
            }
            None => {
                let inner = match place {
                    Place::Outside => Place::Outside,
                    Place::Extension => Place::Extension,
                    // Extensions bring names with a prefix (RFC 9990 §5).
                    Place::Record if start.name().as_ref().contains(':') => Place::Extension,
                    _ => Place::Unknown,
                };
                if inner == Place::Unknown && place != Place::Unknown && is_within {
                    let within = self.open.last().map_or_else(String::new, |open| open.name.to_string());
                    let says = format!("the element {} in {} is none of the format", quoted(name), quoted(&within));
                    self.add("report-element-unknown", says);
                }
                (Cow::Owned(name.chars().take(MAX_NAME).collect()), inner)
            }
        };
        if inner == Place::Feedback {
            self.root(start);
        }
        self.text.clear();
        self.draft.begin(inner, self.line);
        self.open.push(Open { place: inner, name: known, is_in_record, has_elements: false });
        Ok(())
    }

    /// The root: its namespace tells the edition.
    fn root(&mut self, start: &BytesStart<'_>) {
        if self.progress != Progress::Before {
            return;
        }
        self.progress = Progress::Within;
        if !self.open.is_empty() {
            let wrapper = self.open.last().map_or_else(String::new, |open| open.name.to_string());
            self.add("report-wrapped", format!("the element {} stands around the report", quoted(&wrapper)));
        }
        let name = start.name();
        let prefix = name.prefix();
        let wanted = match &prefix {
            Some(prefix) => format!("xmlns:{}", prefix.as_ref()),
            None => "xmlns".to_owned(),
        };
        let mut attributes = start.attributes();
        let mut namespaces = attributes.with_checks(false).flatten();
        let namespace = namespaces.find(|attribute| attribute.key.as_ref() == wanted);
        self.namespace = namespace.map(|attribute| attribute.value.trim().into());
    }

    /// An element ends; what stands in it and has no end ends as well.
    fn end(&mut self, name: &str) -> Result<Step, ReadError> {
        let place = self.open.iter().rposition(|open| name.eq_ignore_ascii_case(&open.name));
        let Some(place) = place else {
            let says = format!("the element {} ends there, and has not begun", quoted(name));
            self.add("report-xml-unopened", says);
            return Ok(Step::On);
        };
        while self.open.len() > place {
            if self.open.len() > place + 1 {
                self.unclosed();
            }
            self.close();
        }
        if self.row.is_none() {
            return Ok(Step::On);
        }
        self.rows += 1;
        if self.rows > self.limits.rows {
            return Err(ReadError::TooManyRows { line: self.line, limit: self.limits.rows });
        }
        Ok(Step::Row)
    }

    fn unclosed(&mut self) {
        let name = self.open.last().map_or_else(String::new, |open| open.name.to_string());
        self.add("report-xml-unclosed", format!("the element {} has no end", quoted(&name)));
    }

    /// Closes the innermost element.
    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match open.place {
            Place::Leaf(leaf) => {
                let text = self.text.trim();
                // Names of the schema are never owned.
                if let Cow::Borrowed(name) = open.name {
                    self.draft.leaf(leaf, name, text, self.line);
                }
            }
            Place::Extension | Place::Unknown => {
                if !open.has_elements && self.progress == Progress::Within {
                    self.keep(&open);
                }
            }
            Place::Record => self.row = Some(self.draft.end_row(self.line)),
            Place::Feedback => self.progress = Progress::Behind,
            Place::Outside
            | Place::Metadata
            | Place::DateRange
            | Place::Policy
            | Place::Row
            | Place::Evaluated
            | Place::Reason
            | Place::Identifiers
            | Place::AuthResults
            | Place::Dkim
            | Place::Spf => {}
        }
        self.text.clear();
    }

    /// An element that no schema has, by its name and text.
    fn keep(&mut self, open: &Open) {
        let around = self.open.iter().skip_while(|open| !matches!(open.place, Place::Extension | Place::Unknown));
        let mut name: String = around.flat_map(|open| [&*open.name, "/"]).collect();
        name.push_str(&open.name);
        let text = std::mem::take(&mut self.text);
        self.draft.extension(&name, text.trim(), open.is_in_record);
        self.text = text;
    }

    fn text(&mut self, text: &str) {
        let is_kept = self
            .open
            .last()
            .is_some_and(|open| matches!(open.place, Place::Leaf(_) | Place::Extension | Place::Unknown));
        if !is_kept {
            let text = text.trim();
            if !text.is_empty() && self.progress == Progress::Behind {
                self.behind();
            } else if !text.is_empty() && self.progress != Progress::Before {
                self.add("report-text-misplaced", format!("the text {} belongs to no element", quoted(text)));
            }
            return;
        }
        if self.text.len() < MAX_TEXT {
            self.text.push_str(text);
            if self.text.len() > MAX_TEXT {
                let end = (0..=MAX_TEXT).rev().find(|end| self.text.is_char_boundary(*end)).unwrap_or(0);
                self.text.truncate(end);
                self.add("report-text-long", format!("a text has more than {MAX_TEXT} octets; its beginning is kept"));
            }
        }
    }

    /// `&amp;` and the like; entities of strangers are no part of XML without a document type.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        let known = match &**reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        match known {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
            None => {
                let text = format!("&{};", &**reference);
                self.add("report-xml-entity", format!("the entity {} is unknown", quoted(&text)));
                self.text(&text);
            }
        }
    }

    /// A tag that is part of a text.
    fn stray(&mut self, start: &BytesStart<'_>, is_empty: bool) {
        let end = if is_empty { "/" } else { "" };
        let text = format!("<{}{end}>", &**start);
        self.add("report-xml-stray", format!("{} stands in a text, where \"<\" is written \"&lt;\"", quoted(&text)));
        self.text(&text);
    }

    fn behind(&mut self) {
        self.add("report-trailing", "more stands behind the report, and is passed over".to_owned());
    }

    fn add(&mut self, id: &'static str, says: String) {
        self.draft.findings.add(id, Some(self.line), says);
    }

    /// What can be said at the end alone.
    fn conclude(&mut self) {
        let markup = self.xml.get_mut();
        let findings = &mut self.draft.findings;
        for (miscoded, line) in markup.miscoded() {
            findings.add("report-encoding", Some(line), miscoded.says().to_owned());
        }
        if let Some((line, count)) = markup.stray() {
            let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
            let says = format!("\"<\" stands {times} in a text, where it is written \"&lt;\"");
            findings.add("report-xml-stray", Some(line), says);
        }
        if self.rows == 0 {
            findings.add("report-element-missing", None, "the report has no \"record\"".to_owned());
        }
        self.draft.conclude(self.namespace.as_deref());
    }
}

/// Characters of the name of an element that no schema has.
const MAX_NAME: usize = 100;

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("rows", &self.rows).field("line", &self.line).finish_non_exhaustive()
    }
}

//! Reports in whatever they are wrapped: told by their content, never by a name.

use super::{
    super::{aggregate::Aggregate, deviation::ReportFinding, row::Row},
    error::ReadError,
    failure::FailureReport,
    limits::ReadLimits,
    mail::{self, Content},
    reader::Reader,
    source::{Layer, Meter, Source},
    tls::TlsReport,
};
use std::{
    fmt,
    io::{Cursor, Read},
    sync::Arc,
};

/// RFC 1952 §2.3.1: ID1 and ID2.
pub(super) const GZIP: [u8; 2] = *b"\x1f\x8b";
/// How archives begin: with an entry, or with the end of an empty one.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// How an entry of an archive's directory begins.
const ZIP_ENTRY: &[u8] = b"PK\x01\x02";
/// Rows of a report that is read once.
const SHORT: usize = 1000;
/// Octets by which content is told.
const BEGINNING: u64 = 512;

/// What stands in a file.
#[derive(Debug)]
pub struct Found<'s> {
    /// Where in the file it stands: names of entries and parts, with `!` between; empty for the file itself.
    pub name: String,
    /// The report, or why it cannot be read.
    pub report: Result<Report<'s>, ReadError>,
}

/// A report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report<'s> {
    /// Of a domain's mail on some day (RFC 9990).
    Aggregate(Box<AggregateReport<'s>>),
    /// Of one message (RFC 9991).
    Failure(Box<FailureReport>),
    /// Of the transport (RFC 8460).
    Tls(TlsReport),
}

/// An aggregate report that was read to its end; its rows are handed out as often as wanted, and read anew where there are many.
pub struct AggregateReport<'s> {
    /// Who reports, on what time, and the policy that was seen.
    pub about: Aggregate,
    /// Where it departs from its format.
    pub findings: Vec<ReportFinding>,
    /// How many rows it has.
    pub row_count: u64,
    /// How many messages they stand for.
    pub messages: u64,
    /// The rows of a short report; those of others are read anew.
    rows: Option<Vec<Row>>,
    layer: Layer<'s>,
    limits: ReadLimits,
}

impl AggregateReport<'_> {
    /// Hands out each row, in the order of the report; none is kept.
    ///
    /// # Errors
    /// As [`read`]; nothing but a file that changed meanwhile fails the second time.
    pub fn for_each_row<E: From<ReadError>>(&self, mut take: impl FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        if let Some(rows) = &self.rows {
            return rows.iter().try_for_each(|row| take(row.clone()));
        }
        let meter = Meter::new(self.limits);
        let mut reader = Reader::new(self.layer.open(&meter)?, self.limits);
        while let Some(row) = reader.next_row()? {
            take(row)?;
        }
        Ok(())
    }

    /// All rows at once.
    ///
    /// # Errors
    /// As [`for_each_row`](Self::for_each_row).
    pub fn rows(&self) -> Result<Vec<Row>, ReadError> {
        let mut rows = Vec::new();
        self.for_each_row(|row| {
            rows.push(row);
            Ok::<(), ReadError>(())
        })?;
        Ok(rows)
    }
}

impl fmt::Debug for AggregateReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregateReport")
            .field("about", &self.about)
            .field("findings", &self.findings)
            .field("row_count", &self.row_count)
            .finish_non_exhaustive()
    }
}

/// Reads all reports in a file: XML, JSON, a mail, and any of these within gzip, zip or a mail.
///
/// An error of one report is in its [`Found`], and the others are read. A file without a report is one `Found` with an error.
///
/// ```
/// use mailverdict::report::{ReadLimits, Report, read};
/// let file: &[u8] = b"<feedback><policy_published><domain>example.com</domain></policy_published></feedback>";
/// let found = read(&file, ReadLimits::default());
/// let Ok(Report::Aggregate(report)) = &found[0].report else { panic!() };
/// assert_eq!(report.about.domain.as_deref(), Some("example.com"));
/// ```
pub fn read(source: &dyn Source, limits: ReadLimits) -> Vec<Found<'_>> {
    let mut work = Work { meter: Meter::new(limits), found: Vec::new(), waiting: Vec::new() };
    work.waiting.push(Wrapped { name: String::new(), layer: Layer::Source(source), depth: 0, is_certain: true });
    while let Some(wrapped) = work.waiting.pop() {
        let (name, is_certain) = (wrapped.name.clone(), wrapped.is_certain);
        match work.look(wrapped) {
            Ok(Some(report)) => work.found.push(Found { name, report: Ok(report) }),
            Ok(None) => {}
            Err(ReadError::NoReport(_)) if !is_certain => {}
            Err(error) => work.found.push(Found { name, report: Err(error) }),
        }
    }
    if work.found.is_empty() {
        let error = ReadError::NoReport("no part of it is one");
        work.found.push(Found { name: String::new(), report: Err(error) });
    }
    work.found
}

struct Work<'s> {
    /// Of the whole file.
    meter: Meter,
    found: Vec<Found<'s>>,
    /// What is still to be looked at, the next one last.
    waiting: Vec<Wrapped<'s>>,
}

/// Octets that may be a report, or wrap some.
struct Wrapped<'s> {
    name: String,
    layer: Layer<'s>,
    depth: usize,
    /// Whether it has to be one.
    is_certain: bool,
}

impl<'s> Work<'s> {
    fn look(&mut self, wrapped: Wrapped<'s>) -> Result<Option<Report<'s>>, ReadError> {
        let Wrapped { name, layer, depth, is_certain } = wrapped;
        let limit = self.meter.limits().wrappings;
        if depth > limit {
            return Err(ReadError::TooWrapped { limit });
        }
        let mut beginning = Vec::new();
        // Looked at apart, because a stream cannot be put back.
        let peek = Meter::new(*self.meter.limits());
        layer.open(&peek)?.take(BEGINNING).read_to_end(&mut beginning).map_err(|error| ReadError::from(&error))?;
        if beginning.starts_with(&GZIP) {
            let layer = Layer::Gzip(Arc::new(layer));
            self.waiting.push(Wrapped { name, layer, depth: depth + 1, is_certain: true });
            return Ok(None);
        }
        if ZIP.iter().any(|mark| beginning.starts_with(mark)) {
            return self.archive(&name, &layer, depth).map(|()| None);
        }
        match kind(&beginning) {
            Kind::Xml => self.aggregate(layer).map(|report| Some(Report::Aggregate(Box::new(report)))),
            Kind::Json => {
                let json = self.meter.read_all(&layer)?;
                match TlsReport::read(&json) {
                    Err(ReadError::Json(_)) if !is_certain => Err(ReadError::NoReport("it is other JSON")),
                    read => read.map(|report| Some(Report::Tls(report))),
                }
            }
            // A text for people.
            Kind::Other if !is_certain => Ok(None),
            Kind::Other => {
                let mail = self.meter.read_all(&layer)?;
                self.mail(&name, &mail, depth)
            }
        }
    }

    fn aggregate(&mut self, layer: Layer<'s>) -> Result<AggregateReport<'s>, ReadError> {
        let limits = *self.meter.limits();
        let (mut row_count, mut messages) = (0_u64, 0_u64);
        let mut rows = Some(Vec::new());
        let (about, mut findings) = {
            let mut reader = Reader::new(layer.open(&self.meter)?, limits);
            while let Some(row) = reader.next_row()? {
                row_count += 1;
                messages = messages.saturating_add(row.count);
                match &mut rows {
                    Some(kept) if kept.len() < SHORT => kept.push(row),
                    kept => *kept = None,
                }
            }
            reader.finish()?
        };
        if self.meter.take_junk() {
            let says = "octets that are none of gzip stand behind what it packed".to_owned();
            findings.push(ReportFinding { id: "report-gzip-junk", says, line: None });
        }
        Ok(AggregateReport { about, findings, row_count, messages, rows, layer, limits })
    }

    /// The entries of an archive, unpacked.
    fn archive(&mut self, name: &str, layer: &Layer<'s>, depth: usize) -> Result<(), ReadError> {
        let limits = *self.meter.limits();
        let octets = self.meter.read_all(layer)?;
        // Before a reader makes something of each of them.
        if memchr::memmem::find_iter(&octets, ZIP_ENTRY).take(limits.parts + 1).count() > limits.parts {
            return Err(ReadError::TooManyParts { limit: limits.parts });
        }
        let packed = |error: zip::result::ZipError| ReadError::Packed(error.to_string().into());
        let len = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        let mut archive = zip::ZipArchive::new(Cursor::new(octets)).map_err(packed)?;
        let mut entries = Vec::new();
        for place in 0..archive.len() {
            let entry_name;
            let unpacked = {
                let mut entry = archive.by_index(place).map_err(packed)?;
                if entry.is_dir() {
                    continue;
                }
                entry_name = entry.name().map(|name| plain_name(&name)).unwrap_or_else(|_| (place + 1).to_string());
                self.unpacked(&mut entry, len)
            };
            let name = joined(name, &entry_name);
            match unpacked {
                Ok(octets) => {
                    let layer = Layer::Octets(octets.into());
                    entries.push(Wrapped { name, layer, depth: depth + 1, is_certain: false });
                }
                Err(error @ (ReadError::TooLarge { .. } | ReadError::TooDense { .. })) => return Err(error),
                Err(error) => self.found.push(Found { name, report: Err(error) }),
            }
        }
        if entries.len() == 1 {
            entries.iter_mut().for_each(|entry| entry.is_certain = true);
        }
        self.waiting.extend(entries.into_iter().rev());
        Ok(())
    }

    fn unpacked(&self, entry: &mut impl Read, packed: u64) -> Result<Vec<u8>, ReadError> {
        const PIECE: usize = 64 * 1024;
        let limits = self.meter.limits();
        let mut octets = Vec::new();
        loop {
            let start = octets.len();
            octets.resize(start + PIECE, 0);
            let read = entry.read(octets.get_mut(start..).unwrap_or_default());
            let read = read.map_err(|error| ReadError::Packed(error.to_string().into()))?;
            octets.truncate(start + read);
            if read == 0 {
                return Ok(octets);
            }
            self.meter.spend(read)?;
            let len = u64::try_from(octets.len()).unwrap_or(u64::MAX);
            if len > 1_000_000 && len / limits.ratio.max(1) > packed {
                return Err(ReadError::TooDense { limit: limits.ratio });
            }
        }
    }

    fn mail(&mut self, name: &str, octets: &[u8], depth: usize) -> Result<Option<Report<'s>>, ReadError> {
        let contents = mail::contents(octets, self.meter.limits())?;
        let mut parts = Vec::new();
        for content in contents {
            match content {
                Content::Failure(report) => return Ok(Some(Report::Failure(report))),
                Content::Part { name: part, octets, is_message } => {
                    self.meter.spend(octets.len())?;
                    let (name, layer) = (joined(name, &part), Layer::Octets(octets.into()));
                    parts.push(Wrapped { name, layer, depth: depth + 1, is_certain: is_message });
                }
            }
        }
        self.waiting.extend(parts.into_iter().rev());
        Ok(None)
    }
}

/// What content may be that nothing wraps.
enum Kind {
    Xml,
    Json,
    Other,
}

fn kind(beginning: &[u8]) -> Kind {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    match text {
        // UTF-16, with its mark and without.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', ..] | [0, b'<', ..] => Kind::Xml,
        [b'{', ..] => Kind::Json,
        _ => Kind::Other,
    }
}

fn joined(outer: &str, inner: &str) -> String {
    if outer.is_empty() { inner.to_owned() } else { format!("{outer}!{inner}") }
}

/// The name of an entry, without folders and without what acts on a terminal.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

//! An aggregate report in its file: its name and its identifier.

use super::{reporter::Reporter, topic::Topic, xml};
use crate::{name::Domain, report::row::Row};
use sha2::{Digest as _, Sha256};
use std::io::{self, Seek, SeekFrom, Write};

/// Octets of the identifier of a report, as digits.
const ID: usize = 32;

/// A report that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenReport {
    /// The name of its file, as RFC 9990 §3.5.2 has it, without a wrapping.
    pub file_name: String,
    /// `Report-ID` (§3.5.1); it is made of all that the report says, so that the same report has the same.
    pub report_id: String,
    /// Rows.
    pub rows: u64,
    /// Messages for which they stand.
    pub messages: u64,
}

impl Reporter {
    /// Writes a report in XML, valid by the schema of RFC 9990 where there is a row. Memory does not grow with its rows.
    ///
    /// # Errors
    /// Where it cannot be written, or a row cannot be read.
    pub fn write(
        &self,
        topic: &Topic,
        rows: &mut dyn Iterator<Item = io::Result<Row>>,
        out: &mut (impl Write + Seek),
    ) -> io::Result<WrittenReport> {
        // It becomes part of the name of a file, and of fields of a header.
        let domain = Domain::parse(&topic.domain).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("the policy domain is none: {error}"))
        })?;
        let start = out.stream_position()?;
        // In the place of the identifier, which is made of what follows.
        let mut hashed = Hashed { out, hash: Sha256::new() };
        let place = xml::write_head(&mut hashed, self, topic, &"0".repeat(ID))?;
        let (mut count, mut messages) = (0_u64, 0_u64);
        for row in rows {
            let row = row?;
            xml::write_row(&mut hashed, &row)?;
            count += 1;
            messages = messages.saturating_add(row.count);
        }
        xml::write_end(&mut hashed)?;
        let id: String = hashed.hash.finalize().iter().take(ID / 2).map(|octet| format!("{octet:02x}")).collect();
        let end = out.stream_position()?;
        out.seek(SeekFrom::Start(start.saturating_add(place)))?;
        out.write_all(id.as_bytes())?;
        out.seek(SeekFrom::Start(end))?;
        out.flush()?;
        let Self { submitter, begin, end, .. } = self;
        let file_name = format!("{submitter}!{domain}!{}!{}!{id}.xml", begin.0, end.0);
        Ok(WrittenReport { file_name, report_id: format!("{id}@{submitter}"), rows: count, messages })
    }
}

/// Hashes what is written.
struct Hashed<'o, W> {
    out: &'o mut W,
    hash: Sha256,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.out.write(octets)?;
        self.hash.update(octets.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

//! The mail that carries an aggregate report (RFC 9990 §3.5.2).

use super::{reporter::Reporter, topic::Topic, written::WrittenReport};
use crate::{mime::base64_encoded, time::UnixTime};
use flate2::{Compression, GzBuilder};
use std::io::{self, Read, Write};

/// Characters of a line of base64 (RFC 2045 §6.8).
const LINE: usize = 76;
/// Octets of one line of base64.
const LINE_OCTETS: usize = LINE / 4 * 3;

impl Reporter {
    /// Writes the mail that carries a report to an address; the report is read in XML, and packed by gzip.
    ///
    /// Its `Date` is the end of the period: the same report makes the same mail. It is to be signed for the domain of
    /// [`email`](Self::email) before it is sent.
    ///
    /// # Errors
    /// Where it cannot be written, or the report cannot be read; and where an address holds what no field of a header can.
    pub fn write_mail(
        &self,
        topic: &Topic,
        report: &WrittenReport,
        to: &str,
        xml: impl Read,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for address in [to, &self.email] {
            if address.bytes().any(|octet| !octet.is_ascii_graphic()) {
                let error = "an address has a character that no header field holds as it is";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
            }
        }
        let WrittenReport { file_name, report_id, rows, messages } = report;
        let (submitter, domain) = (&self.submitter, &topic.domain);
        // Not in base64, and not in what stands before it.
        let boundary = format!("=_{}", report_id.split('@').next().unwrap_or_default());
        // §3.5.2: the Subject, folded as in its example.
        write!(
            out,
            "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nSubject: Report Domain: {domain}\r\n Submitter: {submitter}\r\n \
             Report-ID: <{report_id}>\r\nMessage-ID: <{report_id}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\r\n\
             This is a DMARC aggregate report on {domain} by {submitter},\r\nfrom {begin} to {end}:\r\n\
             Messages: {messages}. Rows: {rows}.\r\n\r\n--{boundary}\r\n\
             Content-Type: application/gzip;\r\n name=\"{file_name}.gz\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{file_name}.gz\"\r\n\r\n",
            from = self.email,
            date = rfc5322_date(self.end),
            begin = self.begin,
            end = self.end,
        )?;
        let mut lines = Lines { out, line: Vec::with_capacity(LINE_OCTETS) };
        // Without a time, so that the same report makes the same octets.
        let mut packed = GzBuilder::new().mtime(0).write(&mut lines, Compression::default());
        io::copy(&mut io::BufReader::new(xml), &mut packed)?;
        packed.finish()?;
        lines.end()?;
        write!(out, "\r\n--{boundary}--\r\n")
    }
}

/// Writes base64 in lines.
struct Lines<'o, W> {
    out: &'o mut W,
    line: Vec<u8>,
}

impl<W: Write> Lines<'_, W> {
    fn end(&mut self) -> io::Result<()> {
        if self.line.is_empty() {
            return Ok(());
        }
        let mut text = base64_encoded(&self.line, LINE);
        text.extend_from_slice(b"\r\n");
        self.line.clear();
        self.out.write_all(&text)
    }
}

impl<W: Write> Write for Lines<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let room = LINE_OCTETS - self.line.len();
        let taken = octets.get(..room.min(octets.len())).unwrap_or_default();
        self.line.extend_from_slice(taken);
        if self.line.len() == LINE_OCTETS {
            self.end()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// `date-time` of RFC 5322 §3.3, in UTC.
pub(super) fn rfc5322_date(time: UnixTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let day = usize::try_from(time.0 / 86_400 % 7).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"Jan");
    format!("{day}, {} {month} {} {} +0000", part(8..10), part(0..4), part(11..19))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::received::date_time;

    #[test]
    fn dates_are_read_again() {
        for seconds in [0, 951_782_400, 1_709_164_800, 1_759_738_505, 4_102_444_799] {
            let date = rfc5322_date(UnixTime(seconds));
            assert_eq!(date_time(date.as_bytes()), Ok(UnixTime(seconds)), "{date}");
        }
        assert_eq!(rfc5322_date(UnixTime(1_759_738_505)), "Mon, 06 Oct 2025 08:15:05 +0000");
    }
}

//! The line ends in what a parser hands on.

use quick_xml::events::Event;

/// How many there are.
pub(super) fn lines(event: &Event<'_>) -> u64 {
    let text: &str = match event {
        Event::Start(text) | Event::Empty(text) => text,
        Event::End(text) => text,
        Event::Text(text) | Event::Comment(text) | Event::DocType(text) => text,
        Event::CData(text) => text,
        Event::Decl(text) => text,
        Event::PI(text) => text,
        Event::GeneralRef(text) => text,
        Event::Eof => "",
    };
    // Most are short: to look at their octets one by one is quickest.
    text.bytes().map(|octet| u64::from(octet == b'\n')).sum()
}

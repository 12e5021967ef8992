//! The way of the message: a hop a row, with a bar for the time that it took.

use super::text::{Bounded, cut};
use crate::hops::{BORDER, HOW_TO_READ, HopWords, NO_HOPS, Way};
use mailverdict::received::Hop;
use maud::{Markup, html};

/// Hops that are shown.
const MAX_HOPS: usize = 50;
/// From so many seconds on a delay is told in hours and minutes as well.
const LONG: u64 = 120;

/// The timeline.
pub(super) fn timeline(way: &Way) -> Markup {
    let hops: Vec<(usize, &Hop)> = way.numbered().collect();
    let scale = Scale::of(hops.iter().take(MAX_HOPS).map(|(_, hop)| *hop));
    let rows = |(number, hop): &(usize, &Hop)| row(*number, hop, way.is_border(*number), scale.as_ref());
    let Bounded { items, more } = Bounded::of(&hops, MAX_HOPS, rows);
    html! {
        @if hops.is_empty() {
            p { (NO_HOPS) }
        } @else {
            p { (HOW_TO_READ) }
        }
        @if let Some(Scale { first, last }) = &scale {
            p { "From the oldest to the newest time that can be read: " (seconds(first.abs_diff(*last))) }
        }
        @if !items.is_empty() { ol.hops { @for item in items { (item) } } }
        (more)
    }
}

fn row(number: usize, hop: &Hop, is_border: bool, scale: Option<&Scale>) -> Markup {
    let HopWords { time, delay, from, by } = HopWords::of(hop);
    let long = hop.delay.map(i64::unsigned_abs).filter(|delay| *delay >= LONG);
    html! {
        li class=[is_border.then_some("border")] {
            p {
                strong { (number) ". " (time) }
                @if let Some(delay) = delay { ", " (delay) }
                @if let Some(long) = long { " (" (seconds(long)) ")" }
                @if is_border { ", " strong { (BORDER) } }
            }
            @if let Some(bar) = scale.and_then(|scale| scale.bar(hop)) { (bar) }
            @if let Some(from) = from { p { (cut(&from)) } }
            p { (cut(&by)) }
        }
    }
}

/// Seconds as people count them.
fn seconds(all: u64) -> String {
    let (days, hours, minutes, seconds) = (all / 86400, all / 3600 % 24, all / 60 % 60, all % 60);
    let units = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")];
    let words: Vec<String> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

/// The times between which all bars lie.
struct Scale {
    first: i64,
    last: i64,
}

impl Scale {
    /// `None` where there are no two times.
    fn of<'h>(hops: impl Iterator<Item = &'h Hop> + Clone) -> Option<Self> {
        let times = hops.filter_map(times).flatten();
        let (first, last) = (times.clone().min()?, times.max()?);
        (first < last).then_some(Self { first, last })
    }

    /// From when the hop before had the message until this one had it. The words beside it say the same.
    fn bar(&self, hop: &Hop) -> Option<Markup> {
        let [arrived, before] = times(hop)?;
        let (start, end) = (self.place(arrived.min(before)), self.place(arrived.max(before)));
        // What took no time is seen as well.
        let (start, width) = (start.min(WIDTH - LEAST), (end - start).max(LEAST));
        let class = if arrived < before { "back" } else { "took" };
        Some(html! {
            svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                rect.track x="0" y="3" width="1000" height="4" {}
                rect class=(class) x=(start) y="0" width=(width) height="10" {}
            }
        })
    }

    /// In thousandths of the whole.
    fn place(&self, time: i64) -> i64 {
        let (from, whole) = (i128::from(time) - i128::from(self.first), i128::from(self.last) - i128::from(self.first));
        i64::try_from(from * i128::from(WIDTH) / whole.max(1)).unwrap_or(WIDTH).clamp(0, WIDTH)
    }
}

/// The width of a bar's picture.
const WIDTH: i64 = 1000;
/// The width of a bar that can be seen.
const LEAST: i64 = 6;

/// When this hop had the message, and when the one before had it: the same where no delay is known.
fn times(hop: &Hop) -> Option<[i64; 2]> {
    let time = i64::try_from(hop.time?.0).ok()?;
    Some([time, time.saturating_sub(hop.delay.unwrap_or(0))])
}

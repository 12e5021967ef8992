//! Words with a colour.

use crate::style::Meaning;
use maud::{Markup, html};

/// A result's keyword or a disposition; a result that there is not is no word to be read out.
pub(super) fn keyword(keyword: &str) -> Markup {
    if keyword == "-" {
        html! {}
    } else {
        word_as(keyword, keyword)
    }
}

/// A word in the colour of a result's keyword.
pub(super) fn word_as(word: &str, keyword: &str) -> Markup {
    let class = match Meaning::of(keyword) {
        Meaning::Good => "badge good",
        Meaning::Bad => "badge bad",
        Meaning::Doubtful => "badge doubtful",
        Meaning::Broken => "badge broken",
        Meaning::Plain => "badge",
    };
    html! { span class=(class) { (word) } }
}

//! The document around the sections: what its reader's program may do with it, and its style.

use super::text::visible;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");

/// What a document is made of.
pub(super) struct Document {
    pub(super) title: String,
    /// What stands above all sections: the heading, and what was concluded.
    pub(super) top: Markup,
    pub(super) sections: Vec<Section>,
}

/// A section with its heading.
pub(super) struct Section {
    /// By which it is linked to.
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) content: Markup,
}

impl Document {
    /// The document as a file has it. It asks for nothing and runs nothing: its policy allows its own style alone.
    pub(super) fn into_text(self) -> String {
        let Self { title, top, sections } = self;
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            STANDARD.encode(Sha256::digest(STYLE))
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="referrer" content="no-referrer";
                    meta name="robots" content="noindex";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    // The one text that is no text of the page.
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        (top)
                        nav aria-label="Sections" {
                            ul {
                                @for section in &sections {
                                    li { a href={ "#" (section.id) } { (section.heading) } }
                                }
                            }
                        }
                    }
                    main {
                        @for Section { id, heading, content } in &sections {
                            section id=(id) aria-labelledby={ (id) "-heading" } {
                                h2 id={ (id) "-heading" } { (heading) }
                                (content)
                            }
                        }
                    }
                    footer {
                        p { "Written by mailverdict " (env!("CARGO_PKG_VERSION")) ". This page asks for nothing and runs nothing." }
                    }
                }
            }
        };
        visible(&page.into_string())
    }
}

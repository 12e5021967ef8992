//! What happened to a message between its signing and now: one type for all causes of a signature that does not verify.

use crate::lex::Span;
use std::fmt;

/// One cause for which a signature does not verify, or one thing that is known of it.
///
/// [`change::changes`](crate::change::changes) finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To what it happened.
    pub part: ChangePart,
    /// Whether it was computed: the message without the change was hashed and fits `bh=`, or its header fits the digest that the signature
    /// holds, or the key itself shows it. What rests on traces alone is not proven, and says on what it rests.
    pub is_proven: bool,
    /// The name of the field, where it is known which.
    pub field: Option<Box<str>>,
    /// One sentence: what is so. Printable, and bounded.
    pub says: Box<str>,
    /// One sentence: what to do.
    pub advice: Option<Box<str>>,
    /// How to undo it, where whole stretches of text were added.
    pub undo: Option<Undo>,
}

/// What has to be taken out of a message, so that it is again what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undo {
    /// The stretches, in their order: octets of the body with CRLF line ends, or of the field that [`Change::field`] names, counted from
    /// its first octet.
    pub removed: Vec<Span>,
}

/// To what a change happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangePart {
    /// The body.
    Body,
    /// A field of the header.
    Header,
    /// The key record.
    Key,
    /// The signature itself, or the way it was made.
    Signature,
    /// Nothing but time has passed.
    Time,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $keyword:literal,)*) => {
        /// What happened to a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ChangeKind { $($(#[$doc])* $kind,)* }

        impl ChangeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind in a word, which is never renamed: `body-appended`.
            pub fn keyword(self) -> &'static str {
                match self { $(Self::$kind => $keyword,)* }
            }
        }
    };
}

kinds! {
    /// Text was added at the end of the body.
    BodyAppended = "body-appended",
    /// Text was added at the start of the body.
    BodyPrepended = "body-prepended",
    /// Text was added within the body.
    BodyInserted = "body-inserted",
    /// A part was added to a multipart body, or a multipart was put around the body.
    BodyPartAdded = "body-part-added",
    /// The body is shorter than what was signed.
    BodyTruncated = "body-truncated",
    /// An empty body was signed, or the body is empty now.
    BodyEmpty = "body-empty",
    /// Line ends were changed.
    LineEnds = "line-ends",
    /// White space at the ends of lines was added or removed.
    TrailingWhiteSpace = "trailing-white-space",
    /// `>` was put before lines that begin with `From `, or taken away.
    FromStuffing = "from-stuffing",
    /// Dots at the starts of lines were doubled or lost.
    DotStuffing = "dot-stuffing",
    /// Long lines were broken.
    LongLineWrapped = "long-line-wrapped",
    /// The body or a part of it came in another Content-Transfer-Encoding.
    TransferEncoding = "transfer-encoding",
    /// The charset or the boundaries of the body are others.
    CharsetOrBoundary = "charset-or-boundary",
    /// Links were made to lead by way of a filter.
    UrlsRewritten = "urls-rewritten",
    /// A mail store has composed the message anew.
    StoreRewrote = "store-rewrote",
    /// A field was added that was signed as absent.
    HeaderAdded = "header-added",
    /// A signed field was removed.
    HeaderRemoved = "header-removed",
    /// Fields of one name stand in another order.
    HeaderReordered = "header-reordered",
    /// A field is folded in another way, or has other white space or another case.
    HeaderRefolded = "header-refolded",
    /// A tag in brackets was put into Subject.
    SubjectTag = "subject-tag",
    /// Other words were put into Subject.
    SubjectPrefix = "subject-prefix",
    /// From names another mailbox.
    FromRewritten = "from-rewritten",
    /// To or Cc names other recipients.
    RecipientsRewritten = "recipients-rewritten",
    /// Encoded words are written in another way.
    EncodedWord = "encoded-word",
    /// A signed field differs.
    FieldChanged = "field-changed",
    /// The signer canonicalized in another way than `c=` says.
    CanonicalizationNamedWrongly = "canonicalization-named-wrongly",
    /// The signer has not signed by the rules.
    SignedWrongly = "signed-wrongly",
    /// The published key is another one than that which signed.
    WrongKey = "wrong-key",
    /// The key record is mistyped.
    KeyTypo = "key-typo",
    /// The key record is cut off.
    KeyTruncated = "key-truncated",
    /// There is no key record.
    KeyMissing = "key-missing",
    /// The key has been revoked.
    KeyRevoked = "key-revoked",
    /// `b=` is no signature of the key's size.
    SignatureDamaged = "signature-damaged",
    /// The signature has expired.
    ExpiredSince = "expired-since",
    /// A receiver of the message saw the signature pass.
    ChangedAfterReceiver = "changed-after-receiver",
    /// A later signer has signed the message as it is.
    ChangedBeforeSealer = "changed-before-sealer",
    /// Another signer has signed the same message.
    ChangedAfterSealer = "changed-after-sealer",
    /// The cause was not found.
    Unknown = "unknown",
}

impl ChangePart {
    /// The part in a word.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Time => "time",
        }
    }
}

/// What is so, and what to do.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)?;
        self.advice.iter().try_for_each(|advice| write!(f, ". {advice}"))
    }
}

/// `kind`, `part`, `proven`, `field`, `says`, `advice`, `undo`; null where there is none.
#[cfg(feature = "serde")]
impl serde::Serialize for Change {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let Self { kind, part, is_proven, field, says, advice, undo } = self;
        let mut fields = serializer.serialize_struct("Change", 7)?;
        fields.serialize_field("kind", kind.keyword())?;
        fields.serialize_field("part", part.keyword())?;
        fields.serialize_field("proven", is_proven)?;
        fields.serialize_field("field", field)?;
        fields.serialize_field("says", says)?;
        fields.serialize_field("advice", advice)?;
        fields.serialize_field("undo", undo)?;
        fields.end()
    }
}

/// `removed`: a list of `offset` and `length`.
#[cfg(feature = "serde")]
impl serde::Serialize for Undo {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        #[derive(serde::Serialize)]
        struct Stretch {
            offset: usize,
            length: usize,
        }
        let stretch = |span: &Span| Stretch { offset: span.offset(), length: span.length() };
        let removed: Vec<Stretch> = self.removed.iter().map(stretch).collect();
        let mut fields = serializer.serialize_struct("Undo", 1)?;
        fields.serialize_field("removed", &removed)?;
        fields.end()
    }
}

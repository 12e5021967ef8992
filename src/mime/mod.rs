//! MIME (RFC 2045, RFC 2046): the parts of a body, and the encodings that they travel in.

mod encoding;
mod structure;

pub(crate) use encoding::{
    BASE64_WIDTHS, QP_STYLES, base64_decoded, base64_encoded, base64_width, qp_decoded, qp_encoded,
};
pub(crate) use structure::{Encoding, Part, Structure, field_range, lines};
#[cfg(feature = "reports")]
pub(crate) use {encoding::base64_octets, structure::field};

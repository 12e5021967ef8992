//! The points of small order (RFC 8032 §5.1), which no honest signer uses.

/// Whether these are the octets of one of the eight points whose order divides 8.
///
/// Their y-coordinates are 0 (twice, for both signs of x), 1, -1, and two more with both signs of x. The sign of x is the highest
/// bit of the last octet. With a sign at 1 and -1, where x is 0, the octets are no encoding at all (RFC 8032 §5.1.3, step 4), and an
/// equation whose result is encoded anew never yields them: to count them in changes nothing. So it is with coordinates that are
/// not reduced, which need not be counted in.
pub fn has_small_order(encoded: &[u8; 32]) -> bool {
    let [y @ .., last] = encoded;
    SMALL_ORDER.iter().any(|[small @ .., end]| small == y && *end == last & 0x7f)
}

/// The y-coordinates of the points whose order divides 8, least significant octet first.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    *b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    *b"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
       \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\
       \xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\
       \x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_of_small_order_are_known_by_their_octets() {
        let mut points = std::collections::BTreeSet::new();
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut encoded = y;
                encoded[31] |= sign;
                assert!(has_small_order(&encoded));
                let point = ed25519_dalek::VerifyingKey::from_bytes(&encoded).unwrap();
                assert!(point.is_weak());
                points.insert(point.to_edwards().compress().to_bytes());
            }
        }
        assert_eq!(points.len(), 8, "there are eight of them, and no more");
        assert!(!has_small_order(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes()));
        assert!(!has_small_order(&[0x11; 32]));
    }
}

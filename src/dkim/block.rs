//! Blocks of octets, looked at all at once.

/// Octets of a block.
pub(super) const BLOCK: usize = 32;

/// Octets of a word.
const WORD: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHEST_BITS: u64 = ONES << 7;

/// The first block of a text, with the octets that follow each of its own; the end of a text is filled up with zeros in `room`.
#[inline(always)]
pub(super) fn first_block<'t>(
    text: &'t [u8],
    room: &'t mut [u8; BLOCK + 1],
) -> Option<(&'t [u8; BLOCK], &'t [u8; BLOCK])> {
    let two = |text: &'t [u8]| Some((text.first_chunk::<BLOCK>()?, text.get(1..)?.first_chunk::<BLOCK>()?));
    if text.len() > BLOCK {
        return two(text);
    }
    room.fill(0);
    room.get_mut(..text.len())?.copy_from_slice(text);
    two(room)
}

/// The place of the first TAB, or of the first SP that comes before WSP, CR or another control character.
#[inline(always)]
pub(super) fn first_run(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> Option<usize> {
    // In arithmetic of octets and without a way out, so that a block is compared by vector instructions.
    let begins_run =
        |octet: u8, next: u8| u8::from(octet == b'\t') | (u8::from(octet == b' ') & u8::from(next <= b' '));
    if block.iter().zip(next).fold(0, |any, (octet, next)| any | begins_run(*octet, *next)) == 0 {
        return None;
    }
    let (block, _) = block.as_chunks::<WORD>();
    let (next, _) = next.as_chunks::<WORD>();
    let bits = block.iter().zip(next).rev().fold(0, |bits, (octets, next)| {
        let (octets, next) = (u64::from_le_bytes(*octets), u64::from_le_bytes(*next));
        // The product brings a bit of each octet together in the highest octet.
        let runs = equal(octets, b'\t') | equal(octets, b' ') & at_most(next, b' ');
        bits << WORD | (runs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    });
    Some(bits.trailing_zeros() as usize)
}

/// How much white space a text begins with.
#[inline(always)]
pub(super) fn white_space_len(text: &[u8]) -> usize {
    if let Some((words, _)) = text.first_chunk::<{ 2 * WORD }>().map(|words| words.as_chunks::<WORD>()) {
        let others = |word: &[u8; WORD]| {
            let octets = u64::from_le_bytes(*word);
            !(equal(octets, b' ') | equal(octets, b'\t')) & HIGHEST_BITS
        };
        let others = words.iter().rev().fold(0_u128, |all, word| all << 64 | u128::from(others(word)));
        if others != 0 {
            return others.trailing_zeros() as usize / 8;
        }
    }
    text.iter().position(|octet| !matches!(octet, b' ' | b'\t')).unwrap_or(text.len())
}

/// The highest bit of each octet that is `octet`, which is ASCII.
#[inline(always)]
fn equal(octets: u64, octet: u8) -> u64 {
    at_most(octets ^ (ONES * u64::from(octet)), 0)
}

/// The highest bit of each octet that is no greater than `most`, which is ASCII. No octet borrows from its neighbour.
#[inline(always)]
fn at_most(octets: u64, most: u8) -> u64 {
    !((octets | HIGHEST_BITS).wrapping_sub(ONES * (u64::from(most) + 1)) | octets) & HIGHEST_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn the_first_run_and_its_length_are_found(
            words in vec(any::<u8>(), 0..40),
            text in vec(select(&b"   \t\t\r\n!\x1f\x80\xa0\x89\x8ax\0"[..]), 0..50),
        ) {
            let text: Vec<u8> = words.into_iter().filter(|octet| *octet > b' ').chain(text).collect();
            let mut room = [1; BLOCK + 1];
            let (block, next) = first_block(&text, &mut room).unwrap();
            let plainly = (0..BLOCK.min(text.len())).find(|at| {
                text[*at] == b'\t' || text[*at] == b' ' && text.get(at + 1).is_none_or(|next| *next <= b' ')
            });
            prop_assert_eq!(first_run(block, next), plainly);
            prop_assert_eq!(&block[..BLOCK.min(text.len())], &text[..BLOCK.min(text.len())]);
            for at in 0..=text.len() {
                let rest = &text[at..];
                let length = rest.iter().take_while(|octet| b" \t".contains(octet)).count();
                prop_assert_eq!(white_space_len(rest), length);
            }
        }
    }
}

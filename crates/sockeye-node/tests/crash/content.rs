//! Contents that say themselves what they have to be: a stamp, a length, and bytes that follow from both.

/// Bytes of the stamp and the length in front.
const HEAD: usize = 16;

/// The content of `length` bytes with this stamp; at least its head.
pub(crate) fn make(stamp: u64, length: usize) -> Vec<u8> {
    let length = length.max(HEAD);
    let mut content = Vec::with_capacity(length + 8);
    content.extend_from_slice(&stamp.to_le_bytes());
    content.extend_from_slice(&(length as u64).to_le_bytes());
    let mut state = stamp | 1;
    while content.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(length);
    content
}

/// The stamp of a content that is whole.
pub(crate) fn stamp_of(content: &[u8]) -> Option<u64> {
    let stamp = u64::from_le_bytes(content.get(..8)?.try_into().ok()?);
    (content == make(stamp, content.len())).then_some(stamp)
}

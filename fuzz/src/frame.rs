//! Messages on the broker's socket, from either side.

use twinlock_login::wire::{Frame, Kind};

/// A message is read as it was written, and by two readings or by none.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let (ours, second) = (Frame::read(&mut &*bytes).ok(), first(bytes));
    assert_eq!(ours.is_some(), second.is_some());
    let (Some(frame), Some((_, content, rest))) = (ours, second) else { return false };
    assert_eq!(frame.content.as_slice(), content);
    assert_eq!([&written(frame.kind, &frame.content), rest].concat(), bytes);
    true
}

/// What stands at the beginning, by a second reading: a kind, its content, and what comes behind.
#[must_use]
pub fn first(bytes: &[u8]) -> Option<(char, &[u8], &[u8])> {
    let head = bytes.get(..5)?;
    let length = head[..4].iter().fold(0_usize, |length, byte| length * 256 + usize::from(*byte));
    let kind = char::from(head[4]);
    let longest = match kind {
        'X' => 0,
        'A' => 1024,
        'R' | 'L' | 'E' | 'Q' | 'H' | 'T' | 'I' | 'D' | 'F' | 'V' => 16 * 1024,
        _ => return None,
    };
    let whole = bytes.get(5..)?.get(..length)?;
    (length <= longest).then_some((kind, whole, &bytes[5 + length..]))
}

/// All of them, as far as they are messages.
#[must_use]
pub fn messages(mut bytes: &[u8]) -> Vec<(char, &[u8])> {
    let mut all = Vec::new();
    while let Some((kind, content, rest)) = first(bytes) {
        all.push((kind, content));
        bytes = rest;
    }
    all
}

/// One message as it goes over the socket.
#[must_use]
pub fn written(kind: Kind, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::write(&mut bytes, kind, content).unwrap_or_else(|broken| panic!("{broken:?}"));
    bytes
}

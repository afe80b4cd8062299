//! Hostile inputs, the same in every run: seeds that are right, changed in a few places.

/// Marsaglia's xorshift64: mutations need variety, not secrecy.
pub struct Random(pub u64);

/// In fewer places than this is a seed changed.
const PLACES: usize = 5;
/// What is said twice is shorter than this.
const COPIED: usize = 12;

/// What is put in: words and marks that mean something somewhere.
const PIECES: &[&[u8]] = &[
    // Text.
    b"\n",
    b" ",
    b"  ",
    b"\t",
    b"\r",
    b"\0",
    b"\xff",
    b"\x08",
    "\u{661}".as_bytes(),
    "\u{ff11}".as_bytes(),
    "\u{202e}".as_bytes(),
    b"0",
    b"-",
    b"%",
    b"%2F",
    b"..",
    b"../",
    b"/",
    b"#",
    // TOML.
    b"=",
    b"!",
    b"\"",
    b"'",
    b"\\u0000",
    b"[[rule]]\n",
    b"[[authenticator]]\n",
    b"[recovery]\n",
    b"suspended = true\n",
    b"second_factor = \"skip\"\n",
    b"18446744073709551615",
    b"1e9",
    // Logins.
    b":",
    b".",
    b"::ffff:",
    b"publickey ",
    b"sk-",
    b"-cert-v01",
    b"@openssh.com",
    b"10.",
    b"fd00::",
    b"\xfe",
    // JSON and messages.
    b"null",
    b"[",
    b"{",
    b"}",
    b"-1",
    b"\"uid\":0,",
    b"\"secret\":\"A\",",
    b"\"user\":\"root\",",
    b"\"skip\"",
    b"granted",
    b"\0\0\0\0",
    b"\0\0\0\x07Vgranted",
    b"\0\0\0\x01Q?",
    // Other modules.
    b"\" TOTP_AUTH\n",
    b"\" DISALLOW_REUSE ",
    b"HOTP/T30/6\t",
    b"&digits=8",
    b"&counter=1",
];

impl Random {
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// One of some.
    pub fn one<'a, T: AsRef<[u8]>>(&mut self, of: &'a [T]) -> &'a [u8] {
        of[self.below(of.len())].as_ref()
    }

    /// One of the seeds, changed.
    pub fn mutated<T: AsRef<[u8]>>(&mut self, seeds: &[T]) -> Vec<u8> {
        let mut bytes = self.one(seeds).to_vec();
        for _ in 0..self.below(PLACES) {
            let at = self.below(bytes.len() + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                4 => bytes.extend_from_slice(self.one(seeds)),
                5 => {
                    let piece = self.one(PIECES);
                    bytes.splice(at..at, piece.iter().copied());
                }
                _ => {
                    let end = (at + self.below(COPIED)).min(bytes.len());
                    let copy = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes
    }
}

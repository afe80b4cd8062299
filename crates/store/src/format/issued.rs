//! Issued codes as a value of the record's table `[extra]`: an older version of this program passes over them, and writes them
//! back. What it lets in by that is nobody.

use base64ct::{Base64Unpadded, Encoding as _};
use twinlock_core::{issued::IssuedCode, recovery::RecoverySetId, time::UnixTime};

/// The key of the value.
pub(super) const KEY: &str = "issued";

/// The codes, each as five words: recovery set, hash, when it was issued, when it ends, who issued it.
pub(super) fn to_text(codes: &[IssuedCode]) -> String {
    let one = |IssuedCode { set, hash, issued, expires, by_uid }: &IssuedCode| {
        let hash = Base64Unpadded::encode_string(hash);
        format!("{} {hash} {} {} {by_uid}", set.as_str(), issued.seconds(), expires.seconds())
    };
    codes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The same as they were written.
pub(super) fn from_text(text: &str) -> Result<Vec<IssuedCode>, String> {
    let codes: Option<Vec<_>> = text.split(", ").map(read).collect();
    let fitting = codes.filter(|codes| codes.len() <= IssuedCode::MOST);
    fitting.ok_or_else(|| "issued codes have five words each".into())
}

fn read(text: &str) -> Option<IssuedCode> {
    let words: Vec<_> = text.split(' ').collect();
    let [set, hash, issued, expires, by_uid] = words[..] else { return None };
    let mut bytes = [0; IssuedCode::HASH];
    if Base64Unpadded::decode(hash, &mut bytes).ok()?.len() != IssuedCode::HASH {
        return None;
    }
    let time = |seconds: &str| seconds.parse().ok().map(UnixTime::from_seconds);
    let (issued, expires, by_uid) = (time(issued)?, time(expires)?, by_uid.parse().ok()?);
    Some(IssuedCode { set: RecoverySetId::parse(set)?, hash: bytes, issued, expires, by_uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let at = UnixTime::from_seconds;
        let code = |name: &str, hash| IssuedCode {
            set: RecoverySetId::parse(name).unwrap(),
            hash: [hash; IssuedCode::HASH],
            issued: at(7),
            expires: at(u64::MAX),
            by_uid: u32::MAX,
        };
        for codes in [vec![code("set1", 0xff)], vec![code("set1", 0), code("none", 0x7f)]] {
            assert_eq!(from_text(&to_text(&codes)), Ok(codes));
        }
        let good = to_text(&[code("set1", 1)]);
        for bad in [
            String::new(),
            format!("{good} 1"),
            format!("{good}, "),
            format!("{good}, {good}, {good}"),
            good.replacen("set1", "Set", 1),
            good.replacen("AQEB", "AQ", 1),
            good.replacen("AQEB", "A=EB", 1),
            good.replacen(" 7 ", " -7 ", 1),
            good.replacen(" 7 ", "  7 ", 1),
        ] {
            assert!(from_text(&bad).is_err(), "{bad}");
        }
    }
}

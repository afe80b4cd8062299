//! Twinlock's lines in the log, read by a strict grammar: what does not parse fails the test.

use data_encoding::HEXUPPER;

use crate::journal::LogLine;
use crate::world::World;

/// The keys, in the one order there is.
const KEYS: [&str; 8] = ["result", "reason", "user", "method", "authenticator", "service", "rhost", "failures"];
const REASONS: [&str; 13] = [
    "wrong-code",
    "replayed",
    "throttled",
    "step-up",
    "junk",
    "not-enrolled",
    "disabled",
    "bypass",
    "config",
    "store",
    "unknown-user",
    "no-answer",
    "internal",
];

/// One attempt as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    values: Vec<String>,
    /// Whether service and rhost are the word of the user's own program.
    pub claimed: bool,
    /// By how many seconds the authenticator's clock is off, where that is known.
    pub clock_offset: Option<i64>,
    /// Whether it was the attempt that disables codes.
    pub disables: bool,
    /// For the administrator, at the end of the line.
    pub detail: Option<String>,
    /// The whole, from `result=` on.
    pub text: String,
}

impl LogEntry {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &LogLine) -> Result<Self, String> {
        let fail = |what: &str| Err(format!("{what}: {line}"));
        if line.facility != 10 {
            return fail("not AUTHPRIV");
        }
        // The module's lines begin with libpam's `pam_twinlock(SERVICE:auth): `, and a service may be called anything.
        let of_module = line.text.find("): result=").map(|at| at + "): ".len());
        let Some(at) = of_module.or_else(|| line.text.find("result=")) else {
            return fail("no result");
        };
        let text = &line.text[at..];
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return fail("bytes that are not printable");
        }
        let (pairs, detail) = match text.split_once(" detail=\"") {
            None => (text, None),
            Some((pairs, detail)) => match detail.strip_suffix('"') {
                Some(detail) if !detail.contains('"') => (pairs, Some(detail.to_owned())),
                _ => return fail("a quote inside the detail, or none at its end"),
            },
        };
        let (pairs, disables) = match pairs.strip_suffix(" now=disabled") {
            Some(pairs) => (pairs, true),
            None => (pairs, false),
        };
        let (pairs, clock_offset) = match pairs.split_once(" clock-offset=") {
            None => (pairs, None),
            Some((pairs, offset)) => match offset.strip_suffix('s').map(str::parse) {
                Some(Ok(seconds)) if offset.starts_with(['+', '-']) => (pairs, Some(seconds)),
                _ => return fail("not clock-offset=+SECONDSs"),
            },
        };
        let (pairs, claimed) = match pairs.strip_suffix(" claimed=service,rhost") {
            Some(pairs) => (pairs, true),
            None => (pairs, false),
        };
        let mut values = Vec::new();
        for (key, pair) in KEYS.iter().zip(pairs.split(' ')) {
            match pair.strip_prefix(key).and_then(|rest| rest.strip_prefix('=')) {
                Some(value) if !value.is_empty() && value.bytes().all(is_plain) => values.push(value.to_owned()),
                _ => return fail(&format!("not {key}=VALUE")),
            }
        }
        if values.len() != KEYS.len() || pairs.split(' ').count() != KEYS.len() {
            return fail("more or fewer keys");
        }
        let entry = Self { values, claimed, clock_offset, disables, detail, text: text.to_owned() };
        let sound = match (entry.value("result"), entry.value("reason")) {
            ("granted", "-" | "emergency") => true,
            ("refused", reason) => REASONS.contains(&reason),
            _ => false,
        };
        let failures = entry.value("failures");
        let numbered = failures == "-" || failures.parse::<u32>().is_ok();
        let method = ["-", "totp", "hotp", "recovery", "issued"].contains(&entry.value("method"));
        let written = entry.values.iter().all(|value| is_written_so(value));
        if sound && numbered && method && written { Ok(entry) } else { fail("a value out of its range") }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> &str {
        let at = KEYS.iter().position(|known| *known == key).unwrap_or_else(|| panic!("no key {key}"));
        &self.values[at]
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._@:-%".contains(&byte)
}

/// Whether it is the one spelling of at most 64 bytes: `%XX` in capitals for everything that is not plain, and for nothing
/// else.
fn is_written_so(value: &str) -> bool {
    let mut rest = value.as_bytes();
    let mut length = 0;
    while let Some((first, after)) = rest.split_first() {
        length += 1;
        rest = after;
        if *first == b'%' {
            let Some((digits, after)) = after.split_at_checked(2) else { return false };
            let Ok(byte) = HEXUPPER.decode(digits) else { return false };
            if is_plain(byte[0]) && byte[0] != b'%' {
                return false;
            }
            rest = after;
        }
    }
    length <= 64
}

impl World {
    /// What Twinlock, module and command, said about attempts since a mark. Lines of `debug` and of changes are left out.
    ///
    /// # Panics
    /// When a line is not as it should be.
    pub fn entries_since(&self, mark: usize) -> Vec<LogEntry> {
        let lines = self.log_since(mark);
        let ours = lines.iter().filter(|line| line.text.contains("result="));
        ours.map(|line| LogEntry::parse(line).unwrap_or_else(|error| panic!("{error}"))).collect()
    }
}

#[test]
fn a_line_that_somebody_forged_is_refused() {
    let line = |text: &str| LogLine { facility: 10, severity: 5, tag: "sshd".into(), pid: None, text: text.into() };
    let good = "pam_twinlock(svc:auth): result=refused reason=junk user=al%20ice method=- authenticator=- service=svc rhost=- failures=-";
    assert_eq!(LogEntry::parse(&line(good)).map(|entry| entry.value("user").to_owned()), Ok("al%20ice".into()));
    for bad in [
        good.replace("junk", "-"),
        good.replace("junk", "because"),
        good.replace("user=al%20ice method=-", "method=- user=al%20ice"),
        good.replace("%20", " "),
        good.replace("%20", "\n"),
        good.replace("rhost=-", "rhost="),
        good.replace("%20", "%2"),
        good.replace("%20", "%2g"),
        good.replace("%20", "%0a"),
        good.replace("%20", "%41"),
        good.replace("ice", &"x".repeat(65)),
        format!("{good} more=x"),
        format!("{good} detail=\"a\" b\""),
    ] {
        assert!(LogEntry::parse(&line(&bad)).is_err(), "{bad}");
    }
}

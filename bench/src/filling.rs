//! What the stores are filled with, in each module's own format, without 10,000 enrolments: ours is made from one person
//! that the command enrolled, with the names changed; the peers' from their documentation.
//!
//! All share one secret and one recovery code. Everybody logged in an hour ago, as most people have.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use twinlock_tests::Authenticator;

use crate::scene::Person;

/// google-authenticator's scratch code: eight digits, the first not 0.
pub(crate) const SCRATCH_CODE: &str = "12577652";

/// The files of one person in our store.
#[derive(Clone)]
pub(crate) struct Template {
    /// `credentials/NAME.toml`.
    pub(crate) credentials: String,
    /// `state/NAME`: two slots of 4,096 bytes.
    pub(crate) state: Vec<u8>,
    /// The owner.
    pub(crate) person: Person,
}

impl Template {
    /// The credentials of somebody else.
    pub(crate) fn credentials_of(&self, person: &Person) -> String {
        self.renamed(&self.credentials, person)
    }

    /// The state of somebody else: each slot has a header of 32 bytes, with the body's length at 16 and the first 8
    /// bytes of a SHA-256 over bytes 0..24 and the body at 24.
    pub(crate) fn state_of(&self, person: &Person) -> Vec<u8> {
        let mut state = self.state.clone();
        for slot in state.chunks_exact_mut(4096) {
            let length = u32::from_le_bytes(slot[16..20].try_into().expect("four bytes"));
            let end = 32 + usize::try_from(length).expect("a slot is small");
            let body = str::from_utf8(&slot[32..end]).expect("TOML is UTF-8");
            let body = self.renamed(body, person);
            // A slot that was never written is all zeros and stays so.
            if !body.is_empty() {
                slot[32..end].copy_from_slice(body.as_bytes());
                let sum = Sha256::new().chain_update(&slot[..24]).chain_update(&body).finalize();
                slot[24..32].copy_from_slice(&sum[..8]);
            }
        }
        state
    }

    /// Names and numbers of all people are equally long, so nothing else moves.
    fn renamed(&self, text: &str, person: &Person) -> String {
        text.replace(&format!("\"{}\"", self.person.name), &format!("\"{}\"", person.name))
            .replace(&format!("uid = {}", self.person.uid), &format!("uid = {}", person.uid))
    }
}

/// A secret file of google-authenticator, with what `google-authenticator -t -d -r 3 -R 30 -w 3` sets.
pub(crate) fn google_file(app: &Authenticator) -> String {
    let secret = BASE32_NOPAD.encode(&app.secret);
    let (then, step) = (an_hour_ago(), an_hour_ago() / 30);
    format!(
        "{secret}\n\" RATE_LIMIT 3 30 {then}\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE {step}\n\" TOTP_AUTH\n\
         {SCRATCH_CODE}\n75371548\n67451086\n92727532\n29558744\n"
    )
}

/// A line of oath's users file, as `pam_oath` leaves it after a login.
pub(crate) fn oath_line(app: &Authenticator, person: &Person) -> String {
    let secret = HEXLOWER.encode(&app.secret);
    format!(
        "HOTP/T30\t{}\t-\t{secret}\t0\t{}\t{}\n",
        person.name,
        app.code_at(an_hour_ago() / 30),
        "2026-01-01T00:00:00L"
    )
}

fn an_hour_ago() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() - 3600
}

#[test]
fn a_renamed_slot_keeps_its_length_and_gets_its_own_checksum() {
    let person = |name: &str, uid| Person { name: name.into(), uid };
    let body = b"user = \"p0\"\nuid = 10\n";
    let mut state = vec![0; 8192];
    state[16..20].copy_from_slice(&u32::try_from(body.len()).expect("short").to_le_bytes());
    state[32..32 + body.len()].copy_from_slice(body);
    let template = Template { credentials: String::new(), state, person: person("p0", 10) };
    let renamed = template.state_of(&person("p1", 11));
    assert_eq!(&renamed[32..32 + body.len()], b"user = \"p1\"\nuid = 11\n");
    assert_ne!(renamed[24..32], [0; 8]);
    assert_eq!(renamed[4096..], [0; 4096]);
}

//! The state of a user as the disk has it: read and forged by hand, apart from the code of the product; `slot.rs` has the layout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::deployed::state_of;
use crate::world::World;

/// Bytes of one of the two slots.
pub const SLOT: usize = 4096;
const HEADER: usize = 32;
const HOUR: u64 = 3600;

/// The slot in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The sequence number of the slot.
    pub sequence: u64,
    /// Which half holds it: 0 or 1.
    pub half: usize,
    /// Whether the attempt that wrote it never came to its end.
    pub open_charge: bool,
    /// The body, as `section.key` to value.
    fields: BTreeMap<String, String>,
}

impl State {
    /// Reads the state of a user.
    ///
    /// # Panics
    /// When there is none or both slots are damaged.
    pub fn of(user: &str) -> Self {
        let bytes = fs::read(state_of(user)).unwrap_or_else(|error| panic!("no state of {user}: {error}"));
        assert_eq!(bytes.len(), 2 * SLOT, "the size of the state of {user}");
        let slots = bytes.chunks(SLOT).enumerate().filter_map(|(half, slot)| Self::read(half, slot));
        slots.max_by_key(|slot| slot.sequence).unwrap_or_else(|| panic!("both slots of {user} are damaged"))
    }

    fn read(half: usize, slot: &[u8]) -> Option<Self> {
        let number = |at: usize| u32::from_le_bytes(slot[at..at + 4].try_into().expect("four bytes"));
        let end = HEADER.checked_add(number(16) as usize).filter(|end| *end <= SLOT)?;
        let sum = Sha256::new().chain_update(&slot[..24]).chain_update(&slot[HEADER..end]).finalize();
        if &slot[..4] != b"TWLK" || sum[..8] != slot[24..HEADER] {
            return None;
        }
        let sequence = u64::from(number(8)) | u64::from(number(12)) << 32;
        let mut section = String::new();
        let mut fields = BTreeMap::new();
        for line in String::from_utf8_lossy(&slot[HEADER..end]).lines() {
            if let Some((key, value)) = line.split_once(" = ") {
                fields.insert(format!("{section}{key}"), value.trim_matches('"').to_owned());
            } else {
                section = format!("{}.", line.trim_matches(['[', ']']));
            }
        }
        Some(Self { sequence, half, open_charge: slot[6] & 1 == 1, fields })
    }

    /// A number of the body: `throttle.failures`, `authenticator.last_step`. With several authenticators: of the last one.
    pub fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_else(|_| panic!("{key} is no number in {self:?}"))
    }

    /// Any value of the body as it is written: `recovery.ids`.
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    /// What was counted: consecutive incorrect answers, codes and recovery codes, and what was taken from the budget.
    pub fn charges(&self) -> [u64; 4] {
        ["failures", "otp_failures", "recovery_failures", "spent"].map(|key| self.number(&format!("throttle.{key}")))
    }
}

/// A state to be written, of somebody whose last wrong answer is an hour old.
#[derive(Clone, Debug)]
pub struct ForgedState {
    user: String,
    uid: u32,
    otp_failures: u32,
    recovery_failures: u32,
    spent: u32,
    age: u64,
    last_step: Option<u64>,
    spent_codes: Vec<u8>,
    issued: Option<[i64; 2]>,
}

impl ForgedState {
    /// The state of an account that never failed.
    pub fn of(account: &Account) -> Self {
        Self {
            user: account.name.clone(),
            uid: account.uid,
            otp_failures: 0,
            recovery_failures: 0,
            spent: 0,
            age: HOUR,
            last_step: None,
            spent_codes: Vec::new(),
            issued: None,
        }
    }

    /// So many consecutive incorrect codes.
    pub fn wrong_codes(self, otp_failures: u32) -> Self {
        Self { otp_failures, spent: self.spent.max(otp_failures.min(30)), ..self }
    }

    /// So many consecutive incorrect recovery codes.
    pub fn wrong_recovery_codes(self, recovery_failures: u32) -> Self {
        Self { recovery_failures, spent: self.spent.max(recovery_failures.min(30)), ..self }
    }

    /// So much taken from the budget.
    pub fn budget_spent(self, spent: u32) -> Self {
        Self { spent, ..self }
    }

    /// The last wrong answer so many seconds ago.
    pub fn failed_ago(self, age: u64) -> Self {
        Self { age, ..self }
    }

    /// This step of the deployed authenticator used last.
    pub fn used(self, step: u64) -> Self {
        Self { last_step: Some(step), ..self }
    }

    /// These ids of the deployed recovery codes used up.
    pub fn spent_codes(self, ids: impl IntoIterator<Item = u8>) -> Self {
        Self { spent_codes: ids.into_iter().collect(), ..self }
    }

    /// Two codes, which nobody knows, issued beside the deployed recovery codes: valid from so many seconds after now to so
    /// many.
    pub fn issued_codes(self, from: i64, until: i64) -> Self {
        Self { issued: Some([from, until]), ..self }
    }

    /// Writes it.
    pub fn write(&self, world: &World) {
        world.write_secret(state_of(&self.user), self.bytes());
    }

    /// The file as it would be written.
    pub fn bytes(&self) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let failed = now - self.age;
        let failures = self.otp_failures + self.recovery_failures;
        let mut body = format!(
            "user = \"{}\"\nuid = {}\n[throttle]\nfailures = {failures}\notp_failures = {}\nrecovery_failures = {}\n\
             spent = {}\nrefilled = {failed}\nlast_failure = {failed}\n",
            self.user, self.uid, self.otp_failures, self.recovery_failures, self.spent
        );
        let text = "a string takes text";
        if let Some(step) = self.last_step {
            writeln!(body, "[[authenticator]]\nid = \"phone1\"\nlast_step = {step}\ndrift = 0\nlast_used = {failed}")
                .expect(text);
        }
        if !self.spent_codes.is_empty() {
            writeln!(body, "[recovery]\nset = \"set1\"\nids = {:?}", self.spent_codes).expect(text);
        }
        if let Some(span) = self.issued {
            let [from, until] = span.map(|seconds| now.strict_add_signed(seconds));
            let hash = "A".repeat(43);
            writeln!(body, "[extra]\nissued = \"set1 {hash} {from} {until} 0, set1 {hash} {from} {until} 0\"")
                .expect(text);
        }
        let mut slot = b"TWLK\x01\0\0\0".to_vec();
        slot.extend(7_u64.to_le_bytes());
        slot.extend(u32::try_from(body.len()).expect("a short body").to_le_bytes());
        slot.extend([0; 4]);
        let sum = Sha256::new().chain_update(&slot).chain_update(&body).finalize();
        slot.extend(&sum[..8]);
        slot.extend(body.as_bytes());
        slot.resize(2 * SLOT - 16, 0);
        // Surely on the disk: its number and the complement of it, at the end of the other half.
        slot.extend(7_u64.to_le_bytes());
        slot.extend((!7_u64).to_le_bytes());
        slot
    }
}

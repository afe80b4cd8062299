//! What came of an import: for scripts one JSON array, for people a line a user and what to do next.

use std::fmt::Write as _;

use serde::Serialize;
use twinlock_core::{
    account::{Subject, UserName},
    otp::Otp,
};
use twinlock_service::import::{Imported, PreparedImport, Remark};

use crate::{
    cli::ImportHow,
    failure::Failure,
    messages::import as messages,
    output::{print, print_json, print_note, sanitize_for_terminal},
};

/// What came of one user. The names are stable; docs/json.md says what they mean.
#[derive(Serialize)]
pub(super) struct ImportOutcome {
    user: String,
    result: Ending,
    reason: Option<String>,
    dry_run: bool,
    authenticators: Vec<ReportedDevice>,
    recovery_codes: usize,
    not_carried: Vec<String>,
    warnings: Vec<String>,
    #[serde(skip)]
    hint: Option<String>,
    /// One word for each remark.
    #[serde(skip)]
    words: Vec<&'static str>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Ending {
    Imported,
    Skipped,
    Failed,
}

#[derive(Serialize)]
struct ReportedDevice {
    id: Option<String>,
    label: String,
    r#type: &'static str,
    algorithm: &'static str,
    digits: u8,
    period: Option<u32>,
}

impl ReportedDevice {
    fn new(id: Option<&str>, label: &str, otp: &Otp) -> Self {
        let (id, label) = (id.map(str::to_owned), label.to_owned());
        let (r#type, algorithm) = (otp.kind(), otp.algorithm().name());
        Self { id, label, r#type, algorithm, digits: otp.digits(), period: otp.period() }
    }
}

impl ImportOutcome {
    pub(super) fn imported(subject: &Subject, how: &ImportHow, imported: &Imported, prepared: &PreparedImport) -> Self {
        let devices = prepared.enrolment.authenticators.iter();
        let devices =
            devices.map(|one| ReportedDevice::new(Some(one.id.as_str()), one.label.as_str(), &one.otp)).collect();
        Self::carried(subject, how, imported, devices)
    }

    /// What would be done. Ids are made when it is.
    pub(super) fn dry(subject: &Subject, how: &ImportHow, imported: &Imported) -> Self {
        let devices =
            imported.devices.iter().map(|one| ReportedDevice::new(None, one.label.as_str(), &one.otp)).collect();
        Self::carried(subject, how, imported, devices)
    }

    pub(super) fn skipped(user: &UserName, how: &ImportHow) -> Self {
        let hint = messages::ALREADY_ENROLLED_HINT.to_owned();
        Self::ended(user, how, Ending::Skipped, (messages::already_enrolled(user), Some(hint)))
    }

    pub(super) fn failed(user: &UserName, how: &ImportHow, reason: impl Into<String>, hint: Option<String>) -> Self {
        Self::ended(user, how, Ending::Failed, (reason.into(), hint))
    }

    fn carried(subject: &Subject, how: &ImportHow, imported: &Imported, authenticators: Vec<ReportedDevice>) -> Self {
        let texts = |left_behind: bool| {
            let meant = imported.remarks.iter().filter(|remark| remark.what.is_left_behind() == left_behind);
            meant.map(Remark::to_string).collect()
        };
        let mut words: Vec<_> = imported.remarks.iter().map(|remark| remark.what.word()).collect();
        words.dedup();
        Self {
            authenticators,
            recovery_codes: imported.scratch_codes.len(),
            not_carried: texts(true),
            warnings: texts(false),
            words,
            ..Self::empty(&subject.name, how)
        }
    }

    fn ended(user: &UserName, how: &ImportHow, result: Ending, (reason, hint): (String, Option<String>)) -> Self {
        Self { result, reason: Some(sanitize_for_terminal(&reason)), hint, ..Self::empty(user, how) }
    }

    fn empty(user: &UserName, how: &ImportHow) -> Self {
        Self {
            user: user.to_string(),
            result: Ending::Imported,
            reason: None,
            dry_run: how.dry_run,
            authenticators: Vec::new(),
            recovery_codes: 0,
            not_carried: Vec::new(),
            warnings: Vec::new(),
            hint: None,
            words: Vec::new(),
        }
    }

    /// One line: `alice: imported totp k3v9q2, 5 scratch codes; see RATE_LIMIT, WINDOW_SIZE`.
    fn line(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        let ending = match self.result {
            Ending::Imported => messages::imported(self.dry_run).to_owned(),
            Ending::Skipped => messages::skipped(reason),
            Ending::Failed => messages::failed(reason),
        };
        let mut line = format!("{}: {ending}", self.user);
        // Writing to a String cannot fail.
        if let Some(hint) = self.hint.as_ref().filter(|_| self.result == Ending::Failed) {
            let _ = write!(line, "; {hint}");
        }
        for device in &self.authenticators {
            let _ = write!(line, " {}", device.r#type);
            let _ = device.id.as_ref().map_or(Ok(()), |id| write!(line, " {id}"));
        }
        if self.recovery_codes > 0 {
            let _ = write!(line, ", {}", messages::scratch_codes(self.recovery_codes));
        }
        line
    }
}

/// Reports on one user, who was named.
pub(super) fn one(outcome: ImportOutcome, how: &ImportHow) -> Result<(), Failure> {
    if how.json {
        print_json(&[&outcome])?;
    } else if outcome.result == Ending::Imported {
        let mut text = format!("{}\n", outcome.line());
        for lost in &outcome.not_carried {
            let _ = writeln!(text, "{}", messages::not_carried(lost));
        }
        for warning in &outcome.warnings {
            let _ = writeln!(text, "{}", messages::warning(warning));
        }
        print(&text)?;
    }
    if let Some(reason) = outcome.reason {
        let failure = messages::not_imported(&outcome.user, &reason);
        return Err(match outcome.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    advise(&[outcome]);
    Ok(())
}

/// Reports on all users who had something.
pub(super) fn many(outcomes: &[ImportOutcome], how: &ImportHow) -> Result<(), Failure> {
    let count = |ending| outcomes.iter().filter(|outcome| outcome.result == ending).count();
    if how.json {
        print_json(&outcomes)?;
    } else {
        let mut text = String::new();
        for outcome in outcomes {
            text.push_str(&outcome.line());
            if !outcome.words.is_empty() {
                text.push_str(&messages::see(&outcome.words));
            }
            text.push('\n');
        }
        print(&text)?;
    }
    let (done, failed) = (count(Ending::Imported), count(Ending::Failed));
    print_note(&messages::summary(done, count(Ending::Skipped), failed, how.dry_run));
    explain(outcomes);
    advise(outcomes);
    if failed == 0 {
        return Ok(());
    }
    Err(messages::some_failed(failed, outcomes.len()))
}

/// Each kind of remark once, however many users it concerns.
fn explain(outcomes: &[ImportOutcome]) {
    let mut said: Vec<&str> = Vec::new();
    for outcome in outcomes {
        for text in outcome.not_carried.iter().chain(&outcome.warnings) {
            let text =
                text.split_once(": ").filter(|(line, _)| line.starts_with("line ")).map_or(&**text, |(_, text)| text);
            if !said.contains(&text) && said.len() < 20 {
                said.push(text);
            }
        }
    }
    for text in said {
        print_note(&format!("  {text}"));
    }
}

/// What users must be told, and what they lack.
fn advise(outcomes: &[ImportOutcome]) {
    let imported = || outcomes.iter().filter(|outcome| outcome.result == Ending::Imported);
    if let Some(outcome) = imported().find(|outcome| outcome.recovery_codes > 0) {
        print_note(&messages::scratch_codes_stay(&outcome.user));
    }
    let mut without = imported().filter(|outcome| outcome.recovery_codes == 0);
    match (without.next(), without.count()) {
        (None, _) => {}
        (Some(one), 0) => {
            print_note(&messages::without_recovery_codes(&one.user));
        }
        (Some(one), more) => {
            print_note(&messages::several_without_recovery_codes(more.saturating_add(1), &one.user));
        }
    }
}

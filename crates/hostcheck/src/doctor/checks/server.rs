//! sshd as a whole.

use std::path::Path;

use twinlock_core::policy::{KeyType, SecondFactor};

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Open, Warning},
        host::HostFacts,
    },
    messages::{self, SshdComplaint},
    ssh::match_blocks,
    sshd::{Directive, TIME_TO_ENROL},
    trial::service::SSHD_DROP_IN,
};

/// Settings that a second factor hangs on.
const OURS: [&str; 6] = [
    "usepam",
    "kbdinteractiveauthentication",
    "passwordauthentication",
    "authenticationmethods",
    "pubkeyauthentication",
    "pamservicename",
];

/// `sshd -t`.
pub(super) fn config(facts: &HostFacts) -> Option<Symptom> {
    let Some(sshd) = &facts.sshd else {
        return Some(Symptom::new(Hint, None, messages::no_sshd()));
    };
    let Some(complaint) = &sshd.complaint else {
        return sshd.settings.is_none().then(|| Symptom::new(Warning, None, messages::sshd_settings_unknown()));
    };
    let disabled = complaint.contains("AuthenticationMethods");
    let kind = match complaint.split_once("Missing privilege separation directory: ") {
        Some((_, folder)) => SshdComplaint::Folder(folder.split(';').next().unwrap_or(folder)),
        None if disabled => SshdComplaint::Methods,
        None => SshdComplaint::Other,
    };
    let place = place_in(complaint).or_else(|| disabled.then(|| switched_off(&sshd.files.directives)).flatten());
    Some(Symptom::new(Lockout, place, messages::sshd_config_rejected(complaint, &kind)))
}

/// `FILE line N` or `FILE: line N`, as sshd complains.
fn place_in(complaint: &str) -> Option<String> {
    let (before, after) = complaint.split_once(" line ")?;
    let file = before.rsplit(char::is_whitespace).next()?.trim_end_matches(':');
    let number: String = after.chars().take_while(char::is_ascii_digit).collect();
    (file.starts_with('/') && !number.is_empty()).then(|| format!("{file}:{number}"))
}

/// The line that switches keyboard-interactive off.
fn switched_off(directives: &[Directive]) -> Option<String> {
    let mut lines =
        directives.iter().filter(|one| one.key == "kbdinteractiveauthentication" && one.condition.is_none());
    lines.next().filter(|first| first.value.eq_ignore_ascii_case("no")).map(|first| first.place.to_string())
}

/// `UsePAM no`.
pub(super) fn use_pam(facts: &HostFacts) -> Option<Symptom> {
    let settings = facts.settings().filter(|settings| !settings.has("usepam"))?;
    let is_known = !settings.value("usepam").is_empty();
    Some(Symptom::new(Open, facts.global_place("usepam"), messages::without_pam(is_known)))
}

/// A line that the administrator wrote and sshd does not hear.
pub(super) fn unheard(facts: &HostFacts) -> Vec<Symptom> {
    let Some(sshd) = &facts.sshd else {
        return Vec::new();
    };
    let ours = |directive: &Directive| names_us(&directive.place.file);
    let pairs =
        sshd.files.unheard().into_iter().filter(|(first, later)| OURS.contains(&later.key.as_str()) && !ours(first));
    let one = |(first, later): (&Directive, &Directive)| {
        let line = format!("{} {}", later.key, later.value);
        let text = messages::line_without_effect(&line, &first.place, &first.value);
        Symptom::at(if ours(later) { Warning } else { Hint }, &later.place, text)
    };
    pairs.map(one).collect()
}

fn names_us(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().contains("twinlock"))
}

/// The running server has not read what is there now.
pub(super) fn stale(facts: &HostFacts) -> Option<Symptom> {
    let file = facts.sshd.as_ref()?.changed_since.as_ref()?;
    Some(Symptom::of_path(Warning, file, messages::sshd_is_stale(file)))
}

/// Rules that were changed after `twinlock ssh enable`.
pub(super) fn match_blocks(facts: &HostFacts) -> Option<Symptom> {
    let sshd = facts.sshd.as_ref()?;
    let is_stale = *sshd.match_blocks.as_ref()? != match_blocks::generate(&facts.config.policy, &sshd.files);
    is_stale.then(|| Symptom::new(Warning, Some(SSHD_DROP_IN.path()), messages::match_blocks_are_stale()))
}

/// Time to enrol inside a login.
pub(super) fn grace_time(facts: &HostFacts) -> Option<Symptom> {
    let seconds = facts.settings()?.seconds("logingracetime").filter(|seconds| (1..TIME_TO_ENROL).contains(seconds))?;
    let enrolls = facts.config.policy.enrolls_in(&facts.pam.service, facts.now);
    enrolls.then(|| Symptom::new(Warning, facts.global_place("logingracetime"), messages::grace_time_is_short(seconds)))
}

/// Whether a rule lists networks.
fn lists_networks(facts: &HostFacts) -> bool {
    facts.config.policy.rules.iter().any(|rule| rule.from.is_some())
}

/// Names where rules want addresses.
pub(super) fn use_dns(facts: &HostFacts) -> Option<Symptom> {
    let found = lists_networks(facts) && facts.settings()?.has("usedns");
    found.then(|| Symptom::new(Warning, facts.global_place("usedns"), messages::use_dns()))
}

/// One address for many people.
pub(super) fn penalties(facts: &HostFacts) -> Option<Symptom> {
    let settings = facts.settings()?;
    let on = !matches!(settings.value("persourcepenalties"), "" | "no");
    let exempt = !matches!(settings.value("persourcepenaltyexemptlist"), "" | "none");
    let found = on && !exempt && lists_networks(facts);
    found.then(|| Symptom::new(Hint, facts.global_place("persourcepenalties"), messages::penalties()))
}

/// Keys on tokens that replace the code, and that nobody has to touch. An older sshd does not know the setting.
pub(super) fn touch(facts: &HostFacts) -> Option<Symptom> {
    let is_on_token = |key: &KeyType| matches!(key, KeyType::SkEd25519 | KeyType::SkEcdsaP256);
    let exempts = facts.config.policy.rules.iter().any(|rule| {
        rule.second_factor == SecondFactor::Skip
            && rule.key_types.as_ref().is_some_and(|keys| keys.iter().any(is_on_token))
    });
    let options = facts.settings()?.value("pubkeyauthoptions");
    let found = exempts && !options.is_empty() && !options.contains("touch-required");
    found.then(|| Symptom::new(Hint, facts.global_place("pubkeyauthoptions"), messages::touch_not_required()))
}

/// What old servers lack.
pub(super) fn version(facts: &HostFacts) -> Option<Symptom> {
    let version = facts.sshd.as_ref()?.version?;
    let severity = match version {
        version if version < (7, 6) => Warning,
        version if version < (8, 7) => Hint,
        _ => return None,
    };
    Some(Symptom::new(severity, None, messages::old_openssh(version, severity == Warning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_in_what_sshd_complains_of() {
        for complaint in ["/etc/ssh/sshd_config: line 3: Bad configuration option: x", "/etc/ssh/sshd_config line 3: x"]
        {
            assert_eq!(place_in(complaint).unwrap(), "/etc/ssh/sshd_config:3");
        }
        assert_eq!(place_in("Disabled method \"keyboard-interactive\" in AuthenticationMethods list"), None);
    }
}

//! sshd as a whole.

use std::path::Path;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Open, Warning},
        host::HostFacts,
    },
    sshd::Directive,
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
pub(super) fn config(facts: &HostFacts) -> Vec<Symptom> {
    let Some(sshd) = &facts.sshd else {
        let found = "there is no sshd on this host, so nothing of it was looked at";
        return vec![Symptom::new(
            Hint,
            None,
            found,
            "logins that come by another way were not judged",
            "nothing, if that is so",
        )];
    };
    let Some(complaint) = &sshd.complaint else {
        return match &sshd.settings {
            Some(_) => Vec::new(),
            None => vec![Symptom::new(
                Warning,
                None,
                "`sshd -T` does not say what is in force",
                "nothing of sshd's settings could be judged",
                "run `sshd -T -C user=root,host=h,addr=203.0.113.1` and mend what it says",
            )],
        };
    };
    let disabled = complaint.contains("AuthenticationMethods");
    let fix = if complaint.contains("Missing privilege separation directory") {
        "make that folder, for root alone to write: `install -d -m 0755 FOLDER`; where sshd has a unit, its RuntimeDirectory= \
         does it"
    } else if disabled {
        "switch on what AuthenticationMethods names, such as `KbdInteractiveAuthentication yes`, before every line that \
         switches it off; `twinlock doctor` says which that is"
    } else {
        "mend that line; do not restart or reload sshd before `sshd -t` is silent"
    };
    let place = place_in(complaint).or_else(|| disabled.then(|| switched_off(&sshd.files.directives)).flatten());
    let why = "sshd goes on as it is until it is restarted, and then it does not start: nobody gets in";
    vec![Symptom::new(Lockout, place, format!("`sshd -t` refuses the configuration: {complaint}"), why, fix)]
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
pub(super) fn use_pam(facts: &HostFacts) -> Vec<Symptom> {
    let Some(settings) = facts.settings().filter(|settings| !settings.has("usepam")) else {
        return Vec::new();
    };
    let found =
        format!("UsePAM is {}", if settings.value("usepam").is_empty() { "unknown to this sshd" } else { "no" });
    let why = "sshd then asks PAM nothing: no code, and no guard";
    vec![Symptom::new(Open, facts.global_place("usepam"), found, why, "set `UsePAM yes`")]
}

/// A line that the administrator wrote and sshd does not hear.
pub(super) fn unheard(facts: &HostFacts) -> Vec<Symptom> {
    let Some(sshd) = &facts.sshd else {
        return Vec::new();
    };
    let ours = |directive: &Directive| names_us(&directive.place.file);
    let pairs =
        sshd.files.unheard().into_iter().filter(|(first, later)| OURS.contains(&later.key.as_str()) && !ours(first));
    pairs
        .map(|(first, later)| {
            let found = format!(
                "`{} {}` is not heard: {} came first and says {}",
                later.key, later.value, first.place, first.value
            );
            let severity = if ours(later) { Warning } else { Hint };
            let fix = format!(
                "take the line out of {}, or give the file with yours a name that sorts before it",
                first.place.file.display()
            );
            let why = "sshd takes the first value that it reads, so what was meant does not hold";
            Symptom::new(severity, Some(later.place.to_string()), found, why, fix)
        })
        .collect()
}

fn names_us(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().contains("twinlock"))
}

/// The running server has not read what is there now.
pub(super) fn stale(facts: &HostFacts) -> Vec<Symptom> {
    let changed = facts.sshd.as_ref().and_then(|sshd| sshd.changed_since.as_ref());
    let found = changed.map(|file| {
        let found = format!("{} was changed after sshd read it", file.display());
        let why = "what is judged here is not yet what holds";
        Symptom::new(
            Warning,
            Some(file.display().to_string()),
            found,
            why,
            "`sshd -t`, and if it is silent reload sshd",
        )
    });
    found.into_iter().collect()
}

/// Time to enrol inside a login.
pub(super) fn grace_time(facts: &HostFacts) -> Vec<Symptom> {
    const ENOUGH: u64 = 300;
    let seconds = facts.settings().and_then(|settings| settings.seconds("logingracetime"));
    let Some(seconds) = seconds.filter(|seconds| (1..ENOUGH).contains(seconds)) else {
        return Vec::new();
    };
    if !facts.config.policy.enrolls_in(&facts.pam.service, facts.now) {
        return Vec::new();
    }
    let found = format!("people enrol inside the login, and LoginGraceTime is {seconds} s");
    let why = "who has to install an app first is cut off in the middle, and begins anew";
    let fix = "set `LoginGraceTime 300`, before every Match";
    vec![Symptom::new(Warning, facts.global_place("logingracetime"), found, why, fix)]
}

/// Names where rules want addresses.
pub(super) fn use_dns(facts: &HostFacts) -> Vec<Symptom> {
    let by_network = facts.config.policy.rules.iter().any(|rule| rule.from.is_some());
    if !by_network || !facts.settings().is_some_and(|settings| settings.has("usedns")) {
        return Vec::new();
    }
    let why = "PAM is told the name that an address has in DNS, and no network fits a name: the strictest of what the rules \
               could mean holds, and whoever owns the address chooses the name";
    vec![Symptom::new(
        Warning,
        facts.global_place("usedns"),
        "UseDNS is yes, and rules speak of networks",
        why,
        "set `UseDNS no`",
    )]
}

/// One address for many people.
pub(super) fn penalties(facts: &HostFacts) -> Vec<Symptom> {
    let Some(settings) = facts.settings() else {
        return Vec::new();
    };
    let on = !matches!(settings.value("persourcepenalties"), "" | "no");
    let exempt = !matches!(settings.value("persourcepenaltyexemptlist"), "" | "none");
    let shared = facts.config.policy.rules.iter().any(|rule| rule.from.is_some());
    if !on || exempt || !shared {
        return Vec::new();
    }
    let why = "sshd shuts an address out for a while after refused logins, and behind a bastion or an office that is everybody";
    let fix = "name such networks in `PerSourcePenaltyExemptList`";
    let place = facts.global_place("persourcepenalties");
    vec![Symptom::new(Hint, place, "rules speak of networks, and sshd punishes addresses", why, fix)]
}

/// What old servers lack.
pub(super) fn version(facts: &HostFacts) -> Vec<Symptom> {
    let Some((major, minor)) = facts.sshd.as_ref().and_then(|sshd| sshd.version) else {
        return Vec::new();
    };
    let (severity, lacks, fix) = match (major, minor) {
        version if version < (7, 6) => {
            (Warning, "tells PAM no first factor", "do not use `key_types`, `remember` and `enroll` there")
        }
        version if version < (8, 7) => (
            Hint,
            "knows KbdInteractiveAuthentication only as ChallengeResponseAuthentication",
            "write `ChallengeResponseAuthentication yes` there",
        ),
        _ => return Vec::new(),
    };
    let found = format!("OpenSSH {major}.{minor} {lacks}");
    vec![Symptom::new(severity, None, found, "what newer versions are told does not work there", fix)]
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

//! `/etc/pam.d/sshd` of a host, or the file of sudo or su, changed by as few lines as it takes. What is not known is refused: a stack that was not
//! understood is not one to change.
//!
//! Two texts come of sshd's. The one that stays means the same as the shipped file of the family. The other one, the bridge,
//! stands for the moment in which sshd changes from its old configuration to the new one, see [`crate::trial::change`].

use super::{EnableMode, Family};
use crate::{
    messages::StackProblem,
    pam_stack,
    trial::{ChangedService, place},
};

/// What becomes of the stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) bridge: String,
    pub(crate) after: String,
    pub(crate) family: Family,
    /// Another module that asked for the second factor, whose line ours replaces.
    pub(crate) taken_over: Option<String>,
}

/// Why the stack is left alone: a line of it, from 1, or all of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) line: Option<usize>,
    pub(crate) problem: StackProblem,
}

/// Modules that decide nothing about a password or a code, and so may stay where they are.
const HARMLESS: [&str; 8] = [
    "pam_env.so",
    "pam_faildelay.so",
    "pam_group.so",
    "pam_keyinit.so",
    "pam_nologin.so",
    "pam_sepermit.so",
    "pam_shells.so",
    "pam_warn.so",
];

/// By which sshd's stack asks for the password on RHEL, and by which those of sudo and su do.
const PASSWORD_AUTH: &str = "password-auth";
const SYSTEM_AUTH: &str = "system-auth";

/// Files that bring no auth lines.
const WITHOUT_AUTH: [&str; 4] =
    ["common-account", "common-session", "common-session-noninteractive", "common-password"];

/// What authselect's profiles `minimal`, `local` and `sssd` put into password-auth. The four lines of the shipped file
/// do all that these do; whatever else is there (`pam_faillock`, winbind) has to go on being asked.
const PLAIN: [&str; 8] = [
    "pam_deny.so",
    "pam_env.so",
    "pam_faildelay.so",
    "pam_localuser.so",
    "pam_permit.so",
    "pam_sss.so",
    "pam_unix.so",
    "pam_usertype.so",
];

/// The lines of the stack that matter here.
struct FoundStack {
    family: Family,
    /// The line that asks for the password, from 1. There is none where another module asks for a code after the key.
    password: Option<usize>,
    /// The line of another module that asks for a second factor, if it is one that users can be taken over from.
    other: Option<OtherLine>,
    /// The first line of the account phase.
    account: usize,
    sets_environment: bool,
    /// The password is asked for by a stack of its own, which a module that is sufficient ends without ending this one.
    is_substack: bool,
}

/// A line of another module that asks for a second factor.
struct OtherLine {
    /// From 1.
    number: usize,
    text: String,
    module: String,
}

/// The modules whose users `twinlock import` takes over.
const TAKEN_OVER: [&str; 2] = ["pam_google_authenticator.so", "pam_oath.so"];

/// Changes sshd's stack `old`. `password_auth` is the text of the file that RHEL's asks the password by.
pub(super) fn for_sshd(old: &str, password_auth: Option<&str>, mode: EnableMode) -> Result<Stack, Unknown> {
    let found = look(old, PASSWORD_AUTH)?;
    if mode == EnableMode::PasswordAndCode {
        found.ensure_password()?;
    }
    let questions = Questions::from_stack(&found, password_auth, ChangedService::Ssh, mode);
    let edit = |ask: &[String], guard: &[&str]| insert(old, &found, questions.keeps_password_line, ask, guard);
    Ok(Stack {
        bridge: edit(&questions.bridge, &[]),
        after: edit(&questions.after, &GUARD),
        family: found.family,
        taken_over: found.other.map(|other| other.module),
    })
}

/// Changes the stack of sudo or su, without a guard: they run the account phase also where they ask for nothing.
/// `system_auth` is the text of the file that RHEL's asks the password by.
pub(crate) fn after_password(
    service: ChangedService,
    old: &str,
    system_auth: Option<&str>,
) -> Result<(String, Family), Unknown> {
    let found = look(old, SYSTEM_AUTH)?;
    found.ensure_password()?;
    let questions = Questions::from_stack(&found, system_auth, service, EnableMode::PasswordAndCode);
    Ok((insert(old, &found, questions.keeps_password_line, &questions.after, &[]), found.family))
}

/// The text of a PAM file by which RHEL's ask for the password.
pub(crate) fn included(name: &str) -> Option<String> {
    // authselect makes it a link to its own file, and libpam follows it.
    let path = std::fs::canonicalize(format!("/etc/pam.d/{name}")).ok()?;
    String::from_utf8(place::read(&path).ok()??.content).ok()
}

/// Above all other account lines, some of which end the account phase early.
const GUARD: [&str; 2] = [
    "# Twinlock, the account guard: it denies a login without a code where one is required, whatever sshd allows.",
    "account    required     pam_twinlock.so",
];

/// What stands in the place of the line that asks for the password, or behind it.
struct Questions {
    keeps_password_line: bool,
    bridge: Vec<String>,
    after: Vec<String>,
}

const ENVIRONMENT: &str = "auth       required     pam_env.so";
const PERMIT: &str = "auth       required     pam_permit.so";
const BRIDGE: &str = "# Twinlock is being enabled or disabled; `twinlock ssh plan` completes that.";
const KEY: &str = "# Twinlock: sshd has verified a key, now the code. `twinlock ssh disable` restores the line above.";
const KEY_AND_CODE: &str = "auth       required     pam_twinlock.so require_key";

/// A user with a verified key is asked for the code, and so many lines below are skipped; everybody else goes the old way.
fn key_or_else(skipped: usize) -> String {
    format!(
        "auth       [success={skipped} ignore={skipped} perm_denied=ignore default=die]  pam_twinlock.so require_key"
    )
}

const fn password_then_code(service: ChangedService) -> &'static str {
    match service {
        ChangedService::Ssh => {
            "# Twinlock: the password, then the code. `twinlock ssh disable` restores what was here."
        }
        ChangedService::Sudo => {
            "# Twinlock: the password, then the code of who runs sudo. `twinlock sudo disable` restores what was here."
        }
        ChangedService::Su => {
            "# Twinlock: the password, then the code of that account. `twinlock su disable` restores what was here."
        }
    }
}
const CODE: &str = "auth       required     pam_twinlock.so";
/// Nobody answers a question through sshd's password method (`PAM_CONV_ERR`); it goes the old way.
const CODE_OR_NO_ANSWER: &str = "auth       [success=ok ignore=ignore conv_err=ignore default=bad]  pam_twinlock.so";
const ENVIRONMENT_ABOVE_UNIX: &str = "auth       required                        pam_env.so";
const UNIX_OR_SSS: [&str; 3] = [
    "auth       [success=2 default=ignore]      pam_unix.so",
    "-auth      [success=1 default=ignore]      pam_sss.so use_first_pass",
    "auth       requisite                       pam_deny.so",
];

impl Questions {
    fn from_stack(found: &FoundStack, password_file: Option<&str>, service: ChangedService, mode: EnableMode) -> Self {
        let substack = match (found.family, service) {
            (Family::Debian | Family::Suse, _) => "auth       substack     common-auth",
            (Family::Rhel, ChangedService::Ssh) => "auth       substack     password-auth",
            (Family::Rhel, ChangedService::Sudo | ChangedService::Su) => "auth       substack     system-auth",
        };
        // Debian's common-auth sets no environment, which its sshd does in the session phase.
        let environment = (found.family != Family::Debian && !found.sets_environment).then_some(ENVIRONMENT);
        match mode {
            EnableMode::KeyAndCode => {
                let with = |lines: Vec<String>| environment.map(str::to_owned).into_iter().chain(lines).collect();
                let old = found.in_order(substack);
                let bridge = [vec![BRIDGE.to_owned(), key_or_else(old.len())], old, vec![PERMIT.to_owned()]].concat();
                let ask: Vec<String> = with(vec![KEY_AND_CODE.to_owned(), PERMIT.to_owned()]);
                Self { keeps_password_line: false, bridge: with(bridge), after: [vec![KEY.to_owned()], ask].concat() }
            }
            EnableMode::PasswordAndCode => {
                let plain = password_file.is_some_and(is_plain);
                let first: Vec<&str> = match found.family {
                    Family::Rhel if plain => {
                        let environment = (!found.sets_environment).then_some(ENVIRONMENT_ABOVE_UNIX);
                        environment.into_iter().chain(UNIX_OR_SSS).collect()
                    }
                    // Here "include" would let a module that is sufficient end the stack before the code.
                    Family::Suse => vec![substack],
                    Family::Rhel if !found.is_substack => vec![substack],
                    Family::Rhel | Family::Debian => Vec::new(),
                };
                let permit = (found.family != Family::Debian).then_some(PERMIT);
                let with = |comment, ask| -> Vec<String> {
                    let lines = [vec![comment], first.clone(), vec![ask], permit.into_iter().collect()].concat();
                    lines.into_iter().map(str::to_owned).collect()
                };
                // Where another module asked for a code, sshd's password method let nobody in.
                let bridge = if found.other.is_some() { CODE } else { CODE_OR_NO_ANSWER };
                Self {
                    keeps_password_line: first.is_empty(),
                    bridge: with(BRIDGE, bridge),
                    after: with(password_then_code(service), CODE),
                }
            }
        }
    }
}

impl FoundStack {
    /// What asks for the first and second factor now, in its order; the password as a stack of its own.
    fn in_order(&self, substack: &str) -> Vec<String> {
        let password = self.password.map(|number| (number, substack.to_owned()));
        let other = self.other.as_ref().map(|other| (other.number, other.text.clone()));
        let mut lines: Vec<(usize, String)> = password.into_iter().chain(other).collect();
        lines.sort_unstable();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn ensure_password(&self) -> Result<(), Unknown> {
        match self.password {
            Some(_) => Ok(()),
            None => Err(Unknown { line: None, problem: StackProblem::NoPasswordLine }),
        }
    }
}

/// Whether all modules that ask for the password are those whose work the four lines of the shipped file do.
fn is_plain(password_auth: &str) -> bool {
    let entries = pam_stack::lines(password_auth);
    let auth = entries.iter().filter(|(_, words)| words.first().is_some_and(|word| is_auth(word)));
    let modules: Vec<&str> = auth.filter_map(|(_, words)| words.get(2)).map(String::as_str).collect();
    modules.contains(&"pam_unix.so") && modules.iter().all(|module| PLAIN.contains(module))
}

fn is_auth(word: &str) -> bool {
    word.trim_start_matches('-').eq_ignore_ascii_case("auth")
}

/// Looks at the stack; RHEL's asks for the password by this file.
fn look(text: &str, password_file: &str) -> Result<FoundStack, Unknown> {
    let at = |line, problem| Unknown { line: Some(line), problem };
    let whole = |problem| Unknown { line: None, problem };
    if text.lines().any(|line| line.ends_with('\\')) {
        return Err(whole(StackProblem::ContinuedLines));
    }
    let (mut password, mut account, mut sets_environment, mut is_substack) = (None, None, false, false);
    let (mut other, mut family) = (None, None);
    for (number, words) in pam_stack::lines(text) {
        let mut words = words.iter().map(String::as_str);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if first == "@include" {
            match second {
                "common-auth" if password.is_none() => password = Some((number, Family::Debian)),
                "common-account" => {
                    account = account.or(Some(number));
                    family = family.or(Some(Family::Debian));
                }
                known if WITHOUT_AUTH.contains(&known) => {}
                other => return Err(at(number, StackProblem::Include(other.to_owned()))),
            }
            continue;
        }
        let target = words.next().unwrap_or_default();
        let module = target.rsplit('/').next().unwrap_or_default();
        if module == "pam_twinlock.so" {
            return Err(at(number, StackProblem::Ours));
        }
        if first.trim_start_matches('-').eq_ignore_ascii_case("account") {
            account = account.or(Some(number));
            family = family.or(match module {
                "common-account" => Some(Family::Suse),
                file if file == password_file => Some(Family::Rhel),
                _ => None,
            });
        }
        if !is_auth(first) {
            continue;
        }
        match (second.to_ascii_lowercase().as_str(), module) {
            (control @ ("substack" | "include"), file) if file == password_file && password.is_none() => {
                password = Some((number, Family::Rhel));
                is_substack = control == "substack";
            }
            ("substack" | "include", "common-auth") if password.is_none() => password = Some((number, Family::Suse)),
            ("substack" | "include", "postlogin") => {}
            // Both are conditions of su alone; root and members of a trusted group are asked for nothing.
            ("sufficient", "pam_rootok.so") | (_, "pam_wheel.so") if password_file == SYSTEM_AUTH => {}
            ("required" | "requisite" | "optional", harmless) if HARMLESS.contains(&harmless) => {
                sets_environment |= harmless == "pam_env.so";
            }
            // A jump would be to a line that is not where it was.
            (control, module) if TAKEN_OVER.contains(&module) && other.is_none() && !has_jump(control) => {
                let text = text.lines().nth(number.saturating_sub(1)).unwrap_or_default().to_owned();
                other = Some(OtherLine { number, text, module: module.to_owned() });
            }
            // Behind a module that ignores users who have no secret.
            ("required", "pam_permit.so") if other.is_some() => {}
            (_, module) if is_another_second_factor(module) => {
                return Err(at(number, StackProblem::OtherSecondFactor(module.to_owned())));
            }
            (control, module) => {
                let (control, module) = (control.to_owned(), module.to_owned());
                return Err(at(number, StackProblem::Line { control, module }));
            }
        }
    }
    let (password, family) = match (password, other.as_ref().and(family)) {
        (Some((number, family)), _) => (Some(number), family),
        (None, Some(family)) => (None, family),
        (None, None) => return Err(whole(StackProblem::NoPasswordLine)),
    };
    let account = account.ok_or_else(|| whole(StackProblem::NoAccountLine))?;
    Ok(FoundStack { family, password, other, account, sets_environment, is_substack })
}

/// Whether a control value skips lines.
fn has_jump(control: &str) -> bool {
    control.contains(|letter: char| letter.is_ascii_digit())
}

fn is_another_second_factor(module: &str) -> bool {
    let known = ["google_authenticator", "oath", "otpw", "duo", "yubico", "u2f", "radius", "privacyidea", "linotp"];
    known.iter().any(|name| module.strip_prefix("pam_").is_some_and(|rest| rest.starts_with(name)))
}

fn insert(old: &str, found: &FoundStack, keeps_password_line: bool, ask: &[String], guard: &[&str]) -> String {
    let other = found.other.as_ref().map(|other| other.number);
    let last = found.password.or(other);
    let lines: Vec<&str> = old.lines().collect();
    let above = above_its_comment(&lines, found);
    let mut new = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if number == above && !guard.is_empty() {
            new.extend(guard.iter().chain(&[""]).map(|line| (*line).to_owned()));
        }
        let is_replaced = Some(number) == other || Some(number) == found.password && !keeps_password_line;
        new.push(if is_replaced { format!("#{line}") } else { line.to_owned() });
        if Some(number) == last {
            new.extend(ask.iter().cloned());
        }
    }
    new.join("\n") + "\n"
}

/// The line above which the guard goes: the first account line, or the comment that belongs to it.
fn above_its_comment(lines: &[&str], found: &FoundStack) -> usize {
    let before = lines.iter().take(found.account.saturating_sub(1)).rev();
    let comment = before.take_while(|line| line.starts_with('#') && !line.starts_with("#%")).count();
    found.account.saturating_sub(comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "# Standard Un*x authentication.\n@include common-auth\n\n# Disallow.\n\
        account    required     pam_nologin.so\n@include common-account\nsession required pam_limits.so\n@include common-password\n";
    const RHEL: &str = "#%PAM-1.0\nauth       substack     password-auth\nauth       include      postlogin\n\
        account    required     pam_sepermit.so\naccount    include      password-auth\n";

    fn active(stack: &str) -> Vec<String> {
        pam_stack::lines(stack)
            .into_iter()
            .map(|(_, words)| words.join(" "))
            .filter(|line| line.contains("auth ") || line.starts_with('@') || line.starts_with("account"))
            .collect()
    }

    #[test]
    fn a_debian_stack_asks_for_the_code_after_the_key() {
        let stack = for_sshd(DEBIAN, None, EnableMode::KeyAndCode).unwrap();
        assert_eq!(
            crate::trial::plan::diff(DEBIAN, &stack.after, "sshd", "sshd"),
            format!(
                "--- sshd\n+++ sshd\n@@ -1,5 +1,11 @@\n # Standard Un*x authentication.\n-@include common-auth\n\
                 +#@include common-auth\n+{KEY}\n+{KEY_AND_CODE}\n+{PERMIT}\n+\n+{}\n+{}\n \n # Disallow.\n \
                 account    required     pam_nologin.so\n",
                GUARD[0], GUARD[1]
            )
        );
        assert_eq!(
            active(&stack.bridge),
            [
                "auth success=1 ignore=1 perm_denied=ignore default=die pam_twinlock.so require_key",
                "auth substack common-auth",
                "auth required pam_permit.so",
                "account required pam_nologin.so",
                "@include common-account",
                "@include common-password"
            ]
        );
    }

    #[test]
    fn a_debian_stack_asks_for_the_code_after_the_password() {
        let stack = for_sshd(DEBIAN, None, EnableMode::PasswordAndCode).unwrap();
        assert_eq!(
            active(&stack.after)[..3],
            ["@include common-auth", "auth required pam_twinlock.so", "account required pam_twinlock.so"]
        );
        let keeps = |new: &str| DEBIAN.lines().all(|line| new.lines().any(|other| other == line));
        assert!(keeps(&stack.after) && keeps(&stack.bridge), "nothing is taken away");
    }

    #[test]
    fn a_rhel_stack_keeps_what_password_auth_does_beside_the_password() {
        let plain = "auth required pam_env.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\n";
        let faillock = format!("auth required pam_faillock.so preauth\n{plain}");
        let of = |password_auth| active(&for_sshd(RHEL, password_auth, EnableMode::PasswordAndCode).unwrap().after);
        assert_eq!(
            of(Some(plain))[..6],
            [
                "auth required pam_env.so",
                "auth success=2 default=ignore pam_unix.so",
                "-auth success=1 default=ignore pam_sss.so use_first_pass",
                "auth requisite pam_deny.so",
                "auth required pam_twinlock.so",
                "auth required pam_permit.so"
            ]
        );
        for other in [Some(faillock.as_str()), None] {
            let kept = ["auth substack password-auth", "auth required pam_twinlock.so", "auth required pam_permit.so"];
            assert_eq!(of(other)[..3], kept);
        }
    }

    #[test]
    fn a_suse_stack_is_known_too() {
        let suse = "auth requisite pam_nologin.so\nauth include common-auth\naccount requisite pam_nologin.so\n";
        let of = |mode| active(&for_sshd(suse, None, mode).unwrap().after);
        let (env, ours) = ("auth required pam_env.so", "auth required pam_twinlock.so");
        assert_eq!(of(EnableMode::KeyAndCode)[1..3], [env, &format!("{ours} require_key")]);
        assert_eq!(of(EnableMode::PasswordAndCode)[1..3], ["auth substack common-auth", ours]);
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line() {
        let refused = |text: &str| for_sshd(text, None, EnableMode::KeyAndCode).unwrap_err();
        let unknown =
            |control: &str, module: &str| StackProblem::Line { control: control.into(), module: module.into() };
        for (text, line, problem) in [
            ("", None, StackProblem::NoPasswordLine),
            ("@include common-auth\n", None, StackProblem::NoAccountLine),
            ("auth required \\\n pam_unix.so\n", None, StackProblem::ContinuedLines),
            ("@include common-auth\n@include mine\n", Some(2), StackProblem::Include("mine".into())),
            ("auth sufficient pam_rootok.so\n@include common-auth\n", Some(1), unknown("sufficient", "pam_rootok.so")),
            (
                "auth [success=1 default=ignore] pam_env.so\n",
                Some(1),
                unknown("success=1 default=ignore", "pam_env.so"),
            ),
            ("@include common-auth\n@include common-auth\n", Some(2), StackProblem::Include("common-auth".into())),
            ("auth required pam_duo.so\n", Some(1), StackProblem::OtherSecondFactor("pam_duo.so".into())),
            ("auth required pam_oath.so\n", None, StackProblem::NoPasswordLine),
            (
                "auth required pam_oath.so\nauth required pam_google_authenticator.so\n",
                Some(2),
                StackProblem::OtherSecondFactor("pam_google_authenticator.so".into()),
            ),
            (
                "auth [success=1 default=ignore] pam_oath.so\n",
                Some(1),
                StackProblem::OtherSecondFactor("pam_oath.so".into()),
            ),
            ("account required pam_twinlock.so\n", Some(1), StackProblem::Ours),
        ] {
            assert_eq!(refused(text), Unknown { line, problem }, "{text}");
        }
    }

    /// The words of the lines that say something.
    fn meaning(text: &str) -> Vec<String> {
        pam_stack::lines(text).into_iter().map(|(_, words)| words.join(" ")).collect()
    }

    /// A shipped file as it was before: without its lines of `auth` from the password to the code, and with these instead.
    fn stock(shipped: &str, password: &str) -> String {
        let (mut stock, mut is_done) = (Vec::new(), false);
        for line in meaning(shipped) {
            let ours = ["pam_unix.so", "pam_sss.so", "pam_deny.so", "pam_twinlock.so", "pam_permit.so"];
            if line == "@include common-auth"
                || line.contains("auth ") && ours.iter().any(|module| line.contains(module))
            {
                if !is_done {
                    stock.push(password.to_owned());
                }
                is_done = true;
            } else {
                stock.push(line);
            }
        }
        stock.join("\n") + "\n"
    }

    #[test]
    fn sudo_and_su_get_what_the_shipped_files_have() {
        const PLAIN_AUTH: &str = "auth required pam_env.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\n";
        let sudo = include_str!("../../../../config/pam.d/rhel/sudo")
            .replace("auth       required                        pam_env.so\n", "");
        for (service, shipped, before, password, family) in [
            (
                ChangedService::Sudo,
                include_str!("../../../../config/pam.d/debian/sudo").to_owned(),
                None,
                "@include common-auth",
                Family::Debian,
            ),
            (
                ChangedService::Sudo,
                include_str!("../../../../config/pam.d/debian/sudo-i").to_owned(),
                None,
                "@include common-auth",
                Family::Debian,
            ),
            (
                ChangedService::Su,
                include_str!("../../../../config/pam.d/debian/su").to_owned(),
                None,
                "@include common-auth",
                Family::Debian,
            ),
            (ChangedService::Sudo, sudo, Some("auth required pam_env.so"), "auth include system-auth", Family::Rhel),
            (
                ChangedService::Su,
                include_str!("../../../../config/pam.d/rhel/su").to_owned(),
                None,
                "auth substack system-auth",
                Family::Rhel,
            ),
        ] {
            let (after, found) = after_password(service, &stock(&shipped, password), Some(PLAIN_AUTH)).unwrap();
            let mut made = meaning(&after);
            if let Some(line) = before {
                made.retain(|other| other != line);
            }
            assert_eq!((made, found), (meaning(&shipped), family), "{service:?} {password}");
        }
    }

    #[test]
    fn a_file_that_is_included_cannot_end_the_stack_before_the_code() {
        let faillock = "auth required pam_faillock.so preauth\nauth sufficient pam_unix.so\n";
        for line in ["auth include system-auth", "auth substack system-auth"] {
            let old = format!("{line}\naccount include system-auth\n");
            let (after, _) = after_password(ChangedService::Sudo, &old, Some(faillock)).unwrap();
            let auth = ["auth substack system-auth", "auth required pam_twinlock.so", "auth required pam_permit.so"];
            assert_eq!(meaning(&after)[..3], auth, "{line}");
        }
        let old = "auth sufficient pam_rootok.so\nauth include common-auth\naccount include common-account\n";
        let (after, family) = after_password(ChangedService::Su, old, None).unwrap();
        assert_eq!((meaning(&after)[1].as_str(), family), ("auth substack common-auth", Family::Suse));
        assert!(for_sshd(old, None, EnableMode::PasswordAndCode).is_err(), "sshd's has no such line");
    }

    #[test]
    fn a_line_of_google_authenticator_or_pam_oath_is_replaced_and_the_bridge_keeps_to_it() {
        const REST: &str = "account required pam_nologin.so\n@include common-account\n";
        const GOOGLE: &str = "auth required pam_google_authenticator.so nullok";
        const OATH: &str = "auth required pam_oath.so usersfile=/etc/users.oath";
        let key_or_else = |lines| {
            format!("auth success={lines} ignore={lines} perm_denied=ignore default=die pam_twinlock.so require_key")
        };
        let (password, permit) = ("@include common-auth", "auth required pam_permit.so");
        for (mode, auth, bridge, after) in [
            (
                EnableMode::KeyAndCode,
                vec![GOOGLE],
                vec![key_or_else(1), GOOGLE.into(), permit.into()],
                vec!["auth required pam_twinlock.so require_key", permit],
            ),
            (
                EnableMode::KeyAndCode,
                vec![password, OATH],
                vec![key_or_else(2), "auth substack common-auth".into(), OATH.into(), permit.into()],
                vec!["auth required pam_twinlock.so require_key", permit],
            ),
            (
                EnableMode::KeyAndCode,
                vec![GOOGLE, permit, password],
                vec![permit.into(), key_or_else(2), GOOGLE.into(), "auth substack common-auth".into(), permit.into()],
                vec![permit, "auth required pam_twinlock.so require_key", permit],
            ),
            (
                EnableMode::PasswordAndCode,
                vec![password, GOOGLE],
                vec![password.into(), "auth required pam_twinlock.so".into()],
                vec![password, "auth required pam_twinlock.so"],
            ),
        ] {
            let old = format!("{}\n{REST}", auth.join("\n"));
            let stack = for_sshd(&old, None, mode).unwrap();
            let is_auth = |line: &String| line.starts_with("auth ") || line == password;
            let auth_of = |text: &str| meaning(text).into_iter().filter(is_auth).collect::<Vec<_>>();
            assert_eq!(
                (auth_of(&stack.bridge), auth_of(&stack.after)),
                (bridge, after.iter().map(ToString::to_string).collect())
            );
            let module = if old.contains("oath") { "pam_oath.so" } else { "pam_google_authenticator.so" };
            assert_eq!((stack.family, stack.taken_over.as_deref()), (Family::Debian, Some(module)));
        }
        let no_password = for_sshd(&format!("{GOOGLE}\n{REST}"), None, EnableMode::PasswordAndCode).unwrap_err();
        assert_eq!(no_password, Unknown { line: None, problem: StackProblem::NoPasswordLine });
    }
}

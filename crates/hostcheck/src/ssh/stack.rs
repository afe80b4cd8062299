//! `/etc/pam.d/sshd` of a host, changed by as few lines as it takes. What is not known is refused: a stack that was not
//! understood is not one to change.
//!
//! Two texts come of it. The one that stays means the same as the shipped file of the family. The other one, the bridge,
//! stands for the moment in which sshd changes from its old configuration to the new one, see [`crate::trial::change`].

use super::{EnableMode, Family};
use crate::{messages::StackProblem, pam_stack};

/// What becomes of the stack.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) bridge: String,
    pub(super) after: String,
    pub(super) family: Family,
}

/// Why the stack is left alone: a line of it, from 1, or all of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) line: Option<usize>,
    pub(super) problem: StackProblem,
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
    /// The line that asks for the password, from 1.
    password: usize,
    /// The first line of the account phase.
    account: usize,
    sets_environment: bool,
}

/// Changes the stack `old`. `password_auth` is the text of the file that RHEL's asks the password by.
pub(super) fn change(old: &str, password_auth: Option<&str>, mode: EnableMode) -> Result<Stack, Unknown> {
    let found = look(old)?;
    let questions = Questions::from_stack(&found, password_auth, mode);
    let edit = |ask: &[&str], guard: &[&str]| insert(old, &found, questions.keeps_password_line, ask, guard);
    Ok(Stack { bridge: edit(&questions.bridge, &[]), after: edit(&questions.after, &GUARD), family: found.family })
}

/// Above all other account lines, some of which end the account phase early.
const GUARD: [&str; 2] = [
    "# Twinlock, the account guard: it denies a login without a code where one is required, whatever sshd allows.",
    "account    required     pam_twinlock.so",
];

/// What stands in the place of the line that asks for the password, or behind it.
struct Questions {
    keeps_password_line: bool,
    bridge: Vec<&'static str>,
    after: Vec<&'static str>,
}

const ENVIRONMENT: &str = "auth       required     pam_env.so";
const PERMIT: &str = "auth       required     pam_permit.so";
const BRIDGE: &str = "# Twinlock is being enabled or disabled; `twinlock ssh plan` completes that.";
const KEY: &str = "# Twinlock: sshd has verified a key, now the code. `twinlock ssh disable` restores the line above.";
const KEY_AND_CODE: &str = "auth       required     pam_twinlock.so require_key";
/// A user with a verified key is asked for the code, and the line below is skipped; everybody else goes the old way.
const KEY_OR_ELSE: &str = "auth       [success=1 ignore=1 perm_denied=ignore default=die]  pam_twinlock.so require_key";
const PASSWORD: &str = "# Twinlock: the password, then the code. `twinlock ssh disable` restores what was here.";
const CODE: &str = "auth       required     pam_twinlock.so";
/// Nobody answers a question through sshd's password method (`PAM_CONV_ERR`); it goes the old way.
const CODE_OR_NO_ANSWER: &str = "auth       [success=ok ignore=ignore conv_err=ignore default=bad]  pam_twinlock.so";
const UNIX_OR_SSS: [&str; 4] = [
    "auth       required                        pam_env.so",
    "auth       [success=2 default=ignore]      pam_unix.so",
    "-auth      [success=1 default=ignore]      pam_sss.so use_first_pass",
    "auth       requisite                       pam_deny.so",
];

impl Questions {
    fn from_stack(found: &FoundStack, password_auth: Option<&str>, mode: EnableMode) -> Self {
        let substack = match found.family {
            Family::Debian | Family::Suse => "auth       substack     common-auth",
            Family::Rhel => "auth       substack     password-auth",
        };
        // Debian's common-auth sets no environment, which its sshd does in the session phase.
        let environment = (found.family != Family::Debian && !found.sets_environment).then_some(ENVIRONMENT);
        match mode {
            EnableMode::KeyAndCode => {
                let with = |lines: &[&'static str]| environment.iter().chain(lines).copied().collect::<Vec<_>>();
                Self {
                    keeps_password_line: false,
                    bridge: with(&[BRIDGE, KEY_OR_ELSE, substack, PERMIT]),
                    after: [vec![KEY], with(&[KEY_AND_CODE, PERMIT])].concat(),
                }
            }
            EnableMode::PasswordAndCode => {
                let plain = password_auth.is_some_and(is_plain);
                let first: Vec<&str> = match found.family {
                    Family::Rhel if plain => UNIX_OR_SSS.to_vec(),
                    // Here "include" would let a module that is sufficient end the stack before the code.
                    Family::Suse => vec![substack],
                    Family::Rhel | Family::Debian => Vec::new(),
                };
                let permit = (found.family != Family::Debian).then_some(PERMIT);
                let with =
                    |comment, ask| [vec![comment], first.clone(), vec![ask], permit.into_iter().collect()].concat();
                Self {
                    keeps_password_line: first.is_empty(),
                    bridge: with(BRIDGE, CODE_OR_NO_ANSWER),
                    after: with(PASSWORD, CODE),
                }
            }
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

fn look(text: &str) -> Result<FoundStack, Unknown> {
    let at = |line, problem| Unknown { line: Some(line), problem };
    let whole = |problem| Unknown { line: None, problem };
    if text.lines().any(|line| line.ends_with('\\')) {
        return Err(whole(StackProblem::ContinuedLines));
    }
    let (mut password, mut account, mut sets_environment) = (None, None, false);
    for (number, words) in pam_stack::lines(text) {
        let mut words = words.iter().map(String::as_str);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if first == "@include" {
            match second {
                "common-auth" if password.is_none() => password = Some((number, Family::Debian)),
                "common-account" => account = account.or(Some(number)),
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
        }
        if !is_auth(first) {
            continue;
        }
        match (second.to_ascii_lowercase().as_str(), module) {
            ("substack" | "include", "password-auth") if password.is_none() => {
                password = Some((number, Family::Rhel));
            }
            ("substack" | "include", "common-auth") if password.is_none() => password = Some((number, Family::Suse)),
            ("substack" | "include", "postlogin") => {}
            ("required" | "requisite" | "optional", harmless) if HARMLESS.contains(&harmless) => {
                sets_environment |= harmless == "pam_env.so";
            }
            (_, other) if is_another_second_factor(other) => {
                return Err(at(number, StackProblem::OtherSecondFactor(other.to_owned())));
            }
            (control, module) => {
                let (control, module) = (control.to_owned(), module.to_owned());
                return Err(at(number, StackProblem::Line { control, module }));
            }
        }
    }
    let (password, family) = password.ok_or_else(|| whole(StackProblem::NoPasswordLine))?;
    let account = account.ok_or_else(|| whole(StackProblem::NoAccountLine))?;
    Ok(FoundStack { family, password, account, sets_environment })
}

fn is_another_second_factor(module: &str) -> bool {
    let known = ["google_authenticator", "oath", "otpw", "duo", "yubico", "u2f", "radius", "privacyidea", "linotp"];
    known.iter().any(|name| module.strip_prefix("pam_").is_some_and(|rest| rest.starts_with(name)))
}

fn insert(old: &str, found: &FoundStack, keeps_password_line: bool, ask: &[&str], guard: &[&str]) -> String {
    let lines: Vec<&str> = old.lines().collect();
    let above = above_its_comment(&lines, found);
    let mut new = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if number == above && !guard.is_empty() {
            new.extend(guard.iter().chain(&[""]).map(|line| (*line).to_owned()));
        }
        let is_password = number == found.password;
        new.push(if is_password && !keeps_password_line { format!("#{line}") } else { line.to_owned() });
        if is_password {
            new.extend(ask.iter().map(|line| (*line).to_owned()));
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
        let stack = change(DEBIAN, None, EnableMode::KeyAndCode).unwrap();
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
        let stack = change(DEBIAN, None, EnableMode::PasswordAndCode).unwrap();
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
        let of = |password_auth| active(&change(RHEL, password_auth, EnableMode::PasswordAndCode).unwrap().after);
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
        let of = |mode| active(&change(suse, None, mode).unwrap().after);
        let (env, ours) = ("auth required pam_env.so", "auth required pam_twinlock.so");
        assert_eq!(of(EnableMode::KeyAndCode)[1..3], [env, &format!("{ours} require_key")]);
        assert_eq!(of(EnableMode::PasswordAndCode)[1..3], ["auth substack common-auth", ours]);
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line() {
        let refused = |text: &str| change(text, None, EnableMode::KeyAndCode).unwrap_err();
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
            (
                "auth required pam_google_authenticator.so\n",
                Some(1),
                StackProblem::OtherSecondFactor("pam_google_authenticator.so".into()),
            ),
            ("account required pam_twinlock.so\n", Some(1), StackProblem::Ours),
        ] {
            assert_eq!(refused(text), Unknown { line, problem }, "{text}");
        }
    }
}

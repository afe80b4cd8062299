//! What is asked of a stack in which Twinlock stands: whether a login can succeed around it, against it, or only with it. The
//! modules are supposed to return whatever they can; pure.

use crate::{
    pam_files::OURS,
    pam_stack::{Line, LineKind, Phase, ReturnCode},
    pam_walk::{Position, ends},
};

/// What a stack answers. Lines are told by their number in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an answer")]
pub(crate) struct Answers {
    /// Our line, the first if there are several.
    pub(crate) ours: Option<usize>,
    /// Lines by which a login succeeds that never comes to ours.
    pub(crate) bypasses: Vec<usize>,
    /// A login succeeds though ours refused.
    pub(crate) ignored_refusal: bool,
    /// No login succeeds though ours was content.
    pub(crate) refuses: bool,
    /// No login succeeds where ours asks nobody.
    pub(crate) refuses_ignored: bool,
    /// A login succeeds by our code, and no other factor was right.
    pub(crate) by_ours_alone: bool,
    /// A login succeeds where ours asks nobody or is led past, and no other factor was right: nothing was asked at all.
    pub(crate) without_any_factor: bool,
    /// The first line before ours that asks for a password.
    pub(crate) password: Option<usize>,
}

/// Modules that check what somebody knows or has; the first factor.
const FIRST_FACTORS: [&str; 18] = [
    "pam_unix.so",
    "pam_unix2.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_ldapd.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_systemd_home.so",
    "pam_userdb.so",
    "pam_pwdfile.so",
    "pam_mysql.so",
    "pam_pgsql.so",
    "pam_radius_auth.so",
    "pam_tacplus.so",
    "pam_kanidm.so",
    "pam_himmelblau.so",
    "pam_authd.so",
    "pam_fprintd.so",
];

/// Modules that tell one login from another and prove nothing.
const CONDITIONS: [&str; 13] = [
    "pam_succeed_if.so",
    "pam_access.so",
    "pam_listfile.so",
    "pam_localuser.so",
    "pam_usertype.so",
    "pam_rootok.so",
    "pam_group.so",
    "pam_wheel.so",
    "pam_time.so",
    "pam_shells.so",
    "pam_nologin.so",
    "pam_securetty.so",
    "pam_sepermit.so",
];

/// Modules that refuse nobody.
const BYSTANDERS: [&str; 8] = [
    "pam_env.so",
    "pam_faildelay.so",
    "pam_warn.so",
    "pam_echo.so",
    "pam_motd.so",
    "pam_keyinit.so",
    "pam_umask.so",
    "pam_debug.so",
];

const REFUSALS: [ReturnCode; 7] = [
    ReturnCode::AUTH_ERR,
    ReturnCode::PERM_DENIED,
    ReturnCode(4),
    ReturnCode(5),
    ReturnCode(9),
    ReturnCode(10),
    ReturnCode(19),
];
const USER_UNKNOWN: ReturnCode = ReturnCode(10);
const AUTHINFO_UNAVAIL: ReturnCode = ReturnCode(9);
const ACCT_EXPIRED: ReturnCode = ReturnCode(13);

/// Whether the module checks a first factor.
pub(crate) fn is_first_factor(module: &str) -> bool {
    FIRST_FACTORS.contains(&module)
}

/// Whether the module only tells one login from another.
pub(crate) fn is_condition(module: &str) -> bool {
    CONDITIONS.contains(&module)
}

/// What a module may return.
fn returns(line: &Line) -> Vec<ReturnCode> {
    let account = line.phase == Phase::Account;
    match line.module() {
        OURS => [&[ReturnCode::SUCCESS, ReturnCode::IGNORE], &REFUSALS[..]].concat(),
        "pam_permit.so" => vec![ReturnCode::SUCCESS],
        "pam_deny.so" => vec![ReturnCode::AUTH_ERR],
        module if BYSTANDERS.contains(&module) => vec![ReturnCode::SUCCESS, ReturnCode::IGNORE],
        _ if account => {
            vec![
                ReturnCode::SUCCESS,
                ReturnCode::NEW_AUTHTOK_REQD,
                ReturnCode::AUTH_ERR,
                ACCT_EXPIRED,
                USER_UNKNOWN,
                ReturnCode::IGNORE,
            ]
        }
        module if is_first_factor(module) => {
            vec![ReturnCode::SUCCESS, ReturnCode::AUTH_ERR, USER_UNKNOWN, AUTHINFO_UNAVAIL]
        }
        module if is_condition(module) => vec![ReturnCode::SUCCESS, ReturnCode::AUTH_ERR, ReturnCode::PERM_DENIED],
        _ => vec![ReturnCode::SUCCESS, ReturnCode::AUTH_ERR, USER_UNKNOWN, ReturnCode::IGNORE],
    }
}

/// What happened on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Note {
    /// What ours returned; a refusal is not forgotten.
    ours: Option<ReturnCode>,
    /// The line that led past ours.
    led_past: Option<usize>,
    /// Something that may be another factor was right.
    other_factor: bool,
}

impl Answers {
    /// Of the lines of one phase.
    pub(crate) fn from_stack(stack: &[&Line]) -> Self {
        let ours: Vec<usize> = positions(stack, |line| line.module() == OURS);
        let noted = |note: &Note, at: usize, code: ReturnCode, after: &Position| {
            let mut note = note.clone();
            let module = stack.get(at).map_or("", |line| line.module());
            if module == OURS {
                note.ours = note.ours.filter(|known| REFUSALS.contains(known)).or(Some(code));
            } else if code == ReturnCode::SUCCESS && may_be_a_factor(module) {
                note.other_factor = true;
            }
            if note.ours.is_none() && note.led_past.is_none() && ours.iter().any(|our| at < *our && *our < after.at()) {
                note.led_past = Some(at);
            }
            note
        };
        let all = ends(stack, Note::default(), returns, noted);
        let account = stack.first().is_some_and(|line| line.phase == Phase::Account);
        // sshd takes an expired password for a success of the account phase, and has it changed.
        let won = |code: ReturnCode| code == ReturnCode::SUCCESS || (account && code == ReturnCode::NEW_AUTHTOK_REQD);
        let won: Vec<Note> = all.into_iter().filter(|(_, code)| won(*code)).map(|(note, _)| note).collect();
        let with = |code| won.iter().any(|note| note.ours == Some(code));
        let alone = |code| won.iter().any(|note| note.ours == code && !note.other_factor);
        let mut bypasses: Vec<usize> =
            won.iter().filter(|note| note.ours.is_none()).filter_map(|note| note.led_past).collect();
        bypasses.sort_unstable();
        bypasses.dedup();
        let first = ours.first().copied();
        Self {
            ours: first,
            bypasses,
            ignored_refusal: REFUSALS.into_iter().any(with),
            refuses: first.is_some() && !with(ReturnCode::SUCCESS),
            refuses_ignored: first.is_some() && !with(ReturnCode::IGNORE),
            by_ours_alone: alone(Some(ReturnCode::SUCCESS)),
            without_any_factor: first.is_some() && (alone(Some(ReturnCode::IGNORE)) || alone(None)),
            password: positions(stack, |line| is_first_factor(line.module()))
                .into_iter()
                .find(|at| first.is_none_or(|our| *at < our)),
        }
    }
}

fn positions(stack: &[&Line], is: impl Fn(&Line) -> bool) -> Vec<usize> {
    (0..)
        .zip(stack)
        .filter(|(_, line)| matches!(line.kind, LineKind::Module { .. }) && is(line))
        .map(|(at, _)| at)
        .collect()
}

/// Modules that nobody knows here may check something.
fn may_be_a_factor(module: &str) -> bool {
    let proves_nothing = is_condition(module)
        || BYSTANDERS.contains(&module)
        || ["pam_permit.so", "pam_faillock.so", "pam_tally2.so", "pam_lastlog.so", "pam_exec.so"].contains(&module);
    !proves_nothing
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::pam_stack::Service;

    fn answers(phase: Phase, text: &str, more: &'static [(&'static str, &'static str)]) -> Answers {
        let read = |path: &Path| {
            let file = |name: &&str| Path::new("/etc/pam.d").join(name) == path;
            let files = [("svc", text)].into_iter().chain(more.iter().copied());
            Ok(files.into_iter().find(|(name, _)| file(name)).map(|(_, text)| text.to_owned()))
        };
        let service = Service::read("svc", &read).unwrap().unwrap();
        Answers::from_stack(&service.phase(phase))
    }

    fn auth(text: &str) -> Answers {
        answers(
            Phase::Auth,
            text,
            &[
                (
                    "common-auth",
                    "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
                ),
                ("password-auth", "auth required pam_env.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\n"),
            ],
        )
    }

    #[test]
    fn the_shipped_stacks_are_sound() {
        let key = auth("auth required pam_twinlock.so\nauth required pam_permit.so\n");
        assert_eq!(key, Answers { ours: Some(0), by_ours_alone: true, without_any_factor: true, ..Answers::default() });
        let password = auth("@include common-auth\nauth required pam_twinlock.so\n");
        assert_eq!(password, Answers { ours: Some(3), password: Some(0), ..Answers::default() });
        let substack =
            auth("auth substack password-auth\nauth required pam_twinlock.so\nauth required pam_permit.so\n");
        assert_eq!(substack, Answers { ours: Some(4), password: Some(2), ..Answers::default() });
    }

    #[test]
    fn what_leads_around_ours_is_found() {
        let included = auth("auth include password-auth\nauth required pam_twinlock.so\n");
        assert_eq!(included.bypasses, [1], "sufficient in an included file ends all");
        let jump = auth(
            "auth [success=2 default=die] pam_unix.so\nauth optional pam_warn.so\nauth required pam_twinlock.so\nauth required pam_permit.so\n",
        );
        assert_eq!(jump.bypasses, [0]);
        let some = auth(
            "auth [success=1 default=ignore] pam_succeed_if.so user in git\nauth required pam_twinlock.so\nauth required pam_permit.so\n",
        );
        assert_eq!(some.bypasses, [0]);
    }

    #[test]
    fn a_refusal_that_is_not_heard_is_found() {
        assert!(auth("auth optional pam_twinlock.so\nauth required pam_permit.so\n").ignored_refusal);
        assert!(auth("auth sufficient pam_twinlock.so\nauth required pam_permit.so\n").ignored_refusal);
        assert!(
            auth("auth [success=ok user_unknown=ignore default=bad] pam_twinlock.so\nauth required pam_permit.so\n")
                .ignored_refusal
        );
        assert!(!auth("auth sufficient pam_twinlock.so\nauth required pam_deny.so\n").ignored_refusal);
    }

    #[test]
    fn what_lets_nobody_in_is_found() {
        assert!(auth("auth required pam_twinlock.so\nauth required pam_deny.so\n").refuses);
        let alone = auth("auth required pam_twinlock.so\n");
        assert!(!alone.refuses && alone.refuses_ignored, "nothing else succeeds");
    }

    #[test]
    fn an_expired_password_leads_around_a_guard_that_stands_behind_it() {
        let unix =
            "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n";
        let behind = answers(Phase::Account, &format!("{unix}account required pam_twinlock.so\n"), &[]);
        assert_eq!(behind.bypasses, [0]);
        let before = answers(
            Phase::Account,
            &format!("account required pam_twinlock.so\n{unix}account required pam_permit.so\n"),
            &[],
        );
        assert_eq!((before.bypasses, before.ignored_refusal), (vec![], false));
    }
}

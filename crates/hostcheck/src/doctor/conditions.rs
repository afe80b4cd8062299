//! Whether a line of `pam_succeed_if.so` speaks of an account: the way of PAM to exempt somebody. Only what can be told from
//! its arguments; in doubt nobody is exempt.

use crate::pam_stack::{Action, Line, ReturnCode};

/// An account, as conditions see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoginUser<'a> {
    pub(crate) user: &'a str,
    pub(crate) uid: u32,
    pub(crate) groups: &'a [String],
}

/// Whether this line leads a login of that account past the lines behind it.
pub(crate) fn is_bypassed_by(line: &Line, user: LoginUser<'_>) -> bool {
    let away = |code| matches!(line.action(code), Action::Jump(_) | Action::Done);
    match holds(line, user) {
        Some(true) => away(ReturnCode::SUCCESS),
        Some(false) => away(ReturnCode::AUTH_ERR),
        None => false,
    }
}

/// Whether all that it asks is so; `None` if that cannot be told.
fn holds(line: &Line, user: LoginUser<'_>) -> Option<bool> {
    const FLAGS: [&str; 6] = ["quiet", "quiet_success", "quiet_fail", "use_uid", "debug", "audit"];
    if line.module() != "pam_succeed_if.so" {
        return None;
    }
    let words: Vec<&str> = line.arguments().iter().map(String::as_str).filter(|word| !FLAGS.contains(word)).collect();
    if words.is_empty() {
        return None;
    }
    let mut all = true;
    for condition in words.chunks(3) {
        let [left, operator, right] = condition else {
            return None;
        };
        all = all && one(left, operator, right, user)?;
    }
    Some(all)
}

fn one(left: &str, operator: &str, right: &str, user: LoginUser<'_>) -> Option<bool> {
    let listed = |name: &str| right.split(':').any(|known| known == name);
    let in_group = || right.split(':').any(|group| user.groups.iter().any(|own| own == group));
    match (left, operator) {
        ("user", "in") => Some(listed(user.user)),
        ("user", "notin") => Some(!listed(user.user)),
        ("user", "=") => Some(user.user == right),
        ("user", "!=") => Some(user.user != right),
        ("user", "ingroup") => Some(in_group()),
        ("user", "notingroup") => Some(!in_group()),
        ("uid", _) => {
            let wanted: u32 = right.parse().ok()?;
            match operator {
                "eq" => Some(user.uid == wanted),
                "ne" => Some(user.uid != wanted),
                "lt" | "<" => Some(user.uid < wanted),
                "le" | "<=" => Some(user.uid <= wanted),
                "gt" | ">" => Some(user.uid > wanted),
                "ge" | ">=" => Some(user.uid >= wanted),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::pam_stack::{Phase, Service};

    #[test]
    fn who_is_named_is_led_past_and_nobody_in_doubt() {
        let groups = ["robots".to_owned()];
        for (line, led) in [
            ("[success=1 default=ignore] pam_succeed_if.so quiet user in git:backup", true),
            ("[success=1 default=ignore] pam_succeed_if.so user = backup", false),
            ("[success=1 default=ignore] pam_succeed_if.so user ingroup robots", true),
            ("[success=ignore default=1] pam_succeed_if.so user ingroup people", true),
            ("[success=1 default=ignore] pam_succeed_if.so uid < 1000 user != root", true),
            ("[success=1 default=ignore] pam_succeed_if.so uid < 1000 shell = /bin/sh", false),
            ("[success=1 default=ignore] pam_succeed_if.so", false),
            ("required pam_succeed_if.so user = git", false),
            ("[success=1 default=ignore] pam_listfile.so user = git", false),
        ] {
            let text = |_: &Path| Ok(Some(format!("account {line}\n")));
            let service = Service::read("svc", &text).unwrap().unwrap();
            let user = LoginUser { user: "git", uid: 998, groups: &groups };
            assert_eq!(is_bypassed_by(service.phase(Phase::Account)[0], user), led, "{line}");
        }
    }
}

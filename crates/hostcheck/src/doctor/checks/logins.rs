//! Which ways sshd takes for a login, and what Twinlock makes of each.

use twinlock_core::module_arguments::ModuleArgument;

use super::Symptom;
use crate::{
    doctor::{
        finding::{
            Severity::{self, Hint, Lockout, Open},
            named,
        },
        host::{HostFacts, OUTSIDE, SshLogin},
    },
    pam_files::{has, is_ours, requires_key},
    pam_stack::{Action, Phase, ReturnCode},
    sshd::{KEYBOARD, Way},
};

const KEY_AND_CODE: &str = "set `AuthenticationMethods publickey,keyboard-interactive`, as the shipped \
    sshd_config.d/key-and-code/00-twinlock.conf has it";

const METHODS: &str = "authenticationmethods";

/// The accounts found, by the place of the setting.
struct Gathered {
    place: Option<String>,
    severity: Severity,
    users: Vec<String>,
    from: Vec<String>,
}

/// Those logins for which `judge` has something, in groups.
fn gather(facts: &HostFacts, key: &str, judge: impl Fn(&SshLogin) -> Option<Severity>) -> Vec<Gathered> {
    let mut groups: Vec<Gathered> = Vec::new();
    for login in &facts.logins {
        let Some(severity) = judge(login) else {
            continue;
        };
        let place = facts.place(key, login);
        let known = groups.iter_mut().find(|group| group.place == place && group.severity == severity);
        let (user, from) = (login.user.clone(), login.from.clone());
        match known {
            Some(group) => {
                for (list, one) in [(&mut group.users, user), (&mut group.from, from)] {
                    if !list.contains(&one) {
                        list.push(one);
                    }
                }
            }
            None => groups.push(Gathered { place, severity, users: vec![user], from: vec![from] }),
        }
    }
    groups
}

impl Gathered {
    /// The users whom it concerns, for a sentence.
    fn describe_users(&self) -> String {
        let users = named(&self.users);
        if self.from == [OUTSIDE] { users } else { format!("{users} from {}", named(&self.from)) }
    }
}

fn with_keyboard(way: &Way) -> bool {
    way.iter().any(|method| method == KEYBOARD)
}

fn with_password(way: &Way) -> bool {
    way.iter().any(|method| method == "password")
}

fn runs_pam(facts: &HostFacts) -> bool {
    facts.pam.auth.ours.is_some()
}

/// Whether the guard refuses whom nobody asked.
fn is_guarded(facts: &HostFacts, login: &SshLogin) -> bool {
    let guard = &facts.pam.account;
    guard.ours.is_some() && !guard.ignored_refusal && login.guarded
}

/// A list of methods of which none is on.
pub(super) fn no_method(facts: &HostFacts) -> Vec<Symptom> {
    let groups = gather(facts, METHODS, |login| login.settings.ways().is_empty().then_some(Lockout));
    let one = |group: Gathered| {
        let found = format!(
            "for {} sshd has no way to log in: every one it is told of has a method that is switched off",
            group.describe_users()
        );
        let why = "such a login is refused before anything is asked";
        Symptom::new(
            group.severity,
            group.place,
            found,
            why,
            "switch the methods on that AuthenticationMethods names, for the same Match",
        )
    };
    groups.into_iter().map(one).collect()
}

/// A key, and nothing that PAM could ask.
pub(super) fn key_alone(facts: &HostFacts) -> Vec<Symptom> {
    if !runs_pam(facts) {
        return Vec::new();
    }
    let unasked = |way: &Way| !with_keyboard(way) && !with_password(way);
    let judge = |login: &SshLogin| {
        let taken = login.settings.has("usepam") && login.settings.ways().iter().any(unasked);
        (login.guarded && taken).then(|| if is_guarded(facts, login) { Lockout } else { Open })
    };
    let one = |group: Gathered| {
        let whom = group.describe_users();
        let named =
            facts.logins.iter().any(|login| group.users.contains(&login.user) && login.settings.names_methods());
        let fix = if named {
            "write a rule with second_factor = \"skip\" for them, as \"Robots\" in docs/policy.md has it, or take out the line that \
             asks for less"
        } else {
            KEY_AND_CODE
        };
        if group.severity == Open {
            let found =
                format!("a key alone lets {whom} in: sshd asks PAM nothing, and no account line of Twinlock stops it");
            return Symptom::new(
                Open,
                group.place,
                found,
                "the second factor is not asked for, and nobody notices",
                fix,
            );
        }
        let found = format!("sshd lets {whom} in by a key alone, and Twinlock's account line refuses such a login");
        Symptom::new(Lockout, group.place, found, "nobody was asked for the code that policy requires", fix)
    };
    gather(facts, METHODS, judge).into_iter().map(one).collect()
}

/// A code and nothing before it; or, where no code is asked for, nothing at all.
pub(super) fn code_alone(facts: &HostFacts) -> Vec<Symptom> {
    let alone = |way: &Way| way.iter().all(|method| method == KEYBOARD);
    let by_keyboard_alone = |login: &SshLogin| {
        login.settings.has("usepam") && !is_refused_root(facts, login) && login.settings.ways().iter().any(alone)
    };
    let auth = &facts.pam.auth;
    let lines = facts.stack(Phase::Auth);
    if let Some(line) = lines.iter().find(|line| requires_key(line)) {
        // Without a key it opens for nobody; what its refusal means, its control says.
        let refuses = matches!(line.action(ReturnCode::PERM_DENIED), Action::Bad | Action::Die);
        let one = |group: Gathered| {
            let found = format!("sshd wants no key of {}, and Twinlock's line requires one", group.describe_users());
            Symptom::new(Lockout, group.place, found, "PAM asks such a login for nothing and refuses it", KEY_AND_CODE)
        };
        let no_other_way = |login: &SshLogin| by_keyboard_alone(login) && login.settings.ways().iter().all(alone);
        let judge = |login: &SshLogin| (refuses && no_other_way(login)).then_some(Lockout);
        return gather(facts, METHODS, judge).into_iter().map(one).collect();
    }
    let by_code = |login: &SshLogin| (auth.by_ours_alone && login.asked && by_keyboard_alone(login)).then_some(Open);
    let without_any_factor =
        |login: &SshLogin| (auth.without_any_factor && !login.asked && by_keyboard_alone(login)).then_some(Open);
    let told = |found: &str, why: &str, group: Gathered| {
        let rest = "the PAM stack asks for no password, and sshd wants no key before it";
        Symptom::new(
            Open,
            group.place.clone(),
            format!("{found} {} in: {rest}", group.describe_users()),
            why,
            KEY_AND_CODE,
        )
    };
    let with_code = gather(facts, METHODS, by_code).into_iter().map(|group| {
        told("a code alone lets", "one factor is enough: whoever sees a code or takes the phone is in", group)
    });
    let with_nothing = gather(facts, METHODS, without_any_factor)
        .into_iter()
        .map(|group| told("nothing at all is asked for, which lets", "whoever knows the name is in", group));
    with_nothing.chain(with_code).collect()
}

/// sshd's own password method, which cannot give a code.
pub(super) fn password_method(facts: &HostFacts) -> Vec<Symptom> {
    let lines = facts.stack(Phase::Auth);
    let says = |argument| lines.iter().any(|line| is_ours(line) && has(line, argument));
    let takes_both = says(ModuleArgument::ForwardPass) || says(ModuleArgument::UseFirstPass);
    if takes_both || !lines.iter().any(|line| is_ours(line)) {
        return Vec::new();
    }
    let judge = |login: &SshLogin| {
        let taken = login.settings.has("usepam") && login.settings.ways().iter().any(with_password);
        (login.asked && taken).then_some(Lockout)
    };
    let shown = facts.config.echo && !says(ModuleArgument::Noecho);
    let why = if shown {
        "that method runs the PAM stack and can only answer with the account password, so such a login is refused"
    } else {
        "that method answers every hidden question of the PAM stack with the account password: it is taken for a wrong code, \
         which is charged"
    };
    let one = |group: Gathered| {
        let found = format!("for {} sshd takes its password method together with Twinlock", group.describe_users());
        Symptom::new(
            group.severity,
            group.place,
            found,
            why,
            "set `PasswordAuthentication no`; keyboard-interactive asks for passwords as well",
        )
    };
    gather(facts, "passwordauthentication", judge).into_iter().map(one).collect()
}

/// Whether it is root's, and sshd replaces what root answers.
fn is_refused_root(facts: &HostFacts, login: &SshLogin) -> bool {
    let is_root = facts.people.iter().any(|person| person.uid == 0 && person.name.as_str() == login.user);
    is_root && login.settings.value("permitrootlogin") != "yes"
}

/// Root, whom sshd does not let answer.
pub(super) fn root(facts: &HostFacts) -> Vec<Symptom> {
    let alone = facts.people.iter().filter(|person| person.may_log_in).all(|person| person.uid == 0);
    let judge = |login: &SshLogin| {
        let settings = &login.settings;
        let allowed = settings.value("permitrootlogin") != "no";
        let ways = settings.ways();
        let asked = !ways.is_empty() && ways.iter().all(with_keyboard);
        let expected = login.enrolled || alone || facts.one_user;
        (is_refused_root(facts, login) && allowed && asked).then_some(if expected { Lockout } else { Hint })
    };
    let one = |group: Gathered| {
        let found = "root has to answer PAM, and sshd lets root answer only with `PermitRootLogin yes`";
        let why = "sshd replaces what root types, so root never gets in, however right the code";
        let fix = "either `Match User root` with `AuthenticationMethods publickey` and a rule that skips root, or `PermitRootLogin \
                    yes` together with `AuthenticationMethods publickey,keyboard-interactive`; or leave it, if root is not to log in";
        Symptom::new(group.severity, group.place, found, why, fix)
    };
    gather(facts, "permitrootlogin", judge).into_iter().map(one).collect()
}

/// Key, password and code.
pub(super) fn password_too(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let Some(line) = facts.pam.auth.password.filter(|_| runs_pam(facts)).and_then(|at| stack.get(at)) else {
        return Vec::new();
    };
    let all_three = |way: &Way| with_keyboard(way) && way.iter().any(|method| method == "publickey");
    if !facts.logins.iter().any(|login| login.settings.ways().iter().any(all_three)) {
        return Vec::new();
    }
    let place = line.included_by.as_ref().unwrap_or(&line.place);
    let fix =
        format!("if that is not wanted, take out {place} and put `auth required pam_permit.so` behind Twinlock's line");
    let found = "after the key the PAM stack asks for the password as well";
    vec![Symptom::new(Hint, Some(place.to_string()), found, "people have to give key, password and code", fix)]
}

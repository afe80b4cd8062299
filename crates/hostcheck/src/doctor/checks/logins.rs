//! Which ways sshd takes for a login, and what Twinlock makes of each.

use twinlock_core::module_arguments::ModuleArgument;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{self, Hint, Lockout, Open},
        host::{HostFacts, OUTSIDE, SshLogin},
    },
    messages::{self, named},
    pam_files::{has, is_ours, requires_key},
    pam_stack::{Action, Phase, ReturnCode},
    sshd::{KEYBOARD, Way},
};

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
    /// The users that it concerns, for a sentence.
    fn describe_users(&self) -> String {
        let users = named(&self.users);
        if self.from == [OUTSIDE] { users } else { format!("{users} from {}", named(&self.from)) }
    }

    fn symptom(self, text: messages::Text) -> Symptom {
        Symptom::new(self.severity, self.place, text)
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

/// Whether the guard denies users who were asked for no code.
fn is_guarded(facts: &HostFacts, login: &SshLogin) -> bool {
    let guard = &facts.pam.account;
    guard.ours.is_some() && !guard.ignored_refusal && login.guarded
}

/// A list of methods of which none is on.
pub(super) fn no_method(facts: &HostFacts) -> Vec<Symptom> {
    let groups = gather(facts, METHODS, |login| login.settings.ways().is_empty().then_some(Lockout));
    let one = |group: Gathered| {
        let text = messages::no_method(&group.describe_users());
        group.symptom(text)
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
        let users = group.describe_users();
        let named =
            facts.logins.iter().any(|login| group.users.contains(&login.user) && login.settings.names_methods());
        let text = if group.severity == Open { messages::key_alone_admitted } else { messages::key_alone_denied };
        group.symptom(text(&users, named))
    };
    gather(facts, METHODS, judge).into_iter().map(one).collect()
}

/// A code and nothing before it; or, where no code is asked for, nothing at all.
pub(super) fn code_alone(facts: &HostFacts) -> Vec<Symptom> {
    let alone = |way: &Way| way.iter().all(|method| method == KEYBOARD);
    let by_keyboard_alone = |login: &SshLogin| {
        login.settings.has("usepam") && !is_refused_root(facts, login) && login.settings.ways().iter().any(alone)
    };
    let symptoms = |judge: &dyn Fn(&SshLogin) -> Option<Severity>, text: fn(&str) -> messages::Text| -> Vec<Symptom> {
        let one = |group: Gathered| {
            let text = text(&group.describe_users());
            group.symptom(text)
        };
        gather(facts, METHODS, judge).into_iter().map(one).collect()
    };
    let auth = &facts.pam.auth;
    let lines = facts.stack(Phase::Auth);
    if let Some(line) = lines.iter().find(|line| requires_key(line)) {
        // Without a key it opens for nobody; what its refusal means, its control says.
        let refuses = matches!(line.action(ReturnCode::PERM_DENIED), Action::Bad | Action::Die);
        let no_other_way = |login: &SshLogin| by_keyboard_alone(login) && login.settings.ways().iter().all(alone);
        let judge = |login: &SshLogin| (refuses && no_other_way(login)).then_some(Lockout);
        return symptoms(&judge, messages::key_required);
    }
    let by_code = |login: &SshLogin| (auth.by_ours_alone && login.asked && by_keyboard_alone(login)).then_some(Open);
    let without_any_factor =
        |login: &SshLogin| (auth.without_any_factor && !login.asked && by_keyboard_alone(login)).then_some(Open);
    [symptoms(&without_any_factor, messages::nothing_asked), symptoms(&by_code, messages::code_alone)].concat()
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
    let is_echoed = facts.config.echo && !says(ModuleArgument::Noecho);
    let one = |group: Gathered| {
        let text = messages::password_method(&group.describe_users(), is_echoed);
        group.symptom(text)
    };
    gather(facts, "passwordauthentication", judge).into_iter().map(one).collect()
}

/// Whether it is root's, and sshd replaces what root answers.
fn is_refused_root(facts: &HostFacts, login: &SshLogin) -> bool {
    let is_root = facts.people.iter().any(|person| person.uid == 0 && person.name.as_str() == login.user);
    is_root && login.settings.value("permitrootlogin") != "yes"
}

/// Root, where sshd does not let root answer.
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
    let one = |group: Gathered| group.symptom(messages::root_cannot_answer());
    gather(facts, "permitrootlogin", judge).into_iter().map(one).collect()
}

/// Key, password and code.
pub(super) fn password_too(facts: &HostFacts) -> Option<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let line = facts.pam.auth.password.filter(|_| runs_pam(facts)).and_then(|at| stack.get(at))?;
    let all_three = |way: &Way| with_keyboard(way) && way.iter().any(|method| method == "publickey");
    let place = line.included_by.as_ref().unwrap_or(&line.place);
    let asks = facts.logins.iter().any(|login| login.settings.ways().iter().any(all_three));
    asks.then(|| Symptom::at(Hint, place, messages::password_too(place)))
}

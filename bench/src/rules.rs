//! What an administrator's rules cost a login: the same people under none and under a hundred, in turns; through libpam,
//! and as a whole login by sshd.

use std::iter;
use std::path::Path;

use twinlock_tests::{PamCode, Sshd};

use crate::clock;
use crate::contender::Contender;
use crate::samples::Samples;
use crate::scene::{ACCOUNTS, Scene, person};
use crate::worker::Pool;

/// In the configuration. Each names two groups, and none but the last fits anybody here.
const RULES: usize = 100;
/// In `/etc/group`, and all of them in the rules.
const GROUPS: usize = 2 * RULES;
/// How many groups those who log in are in, by their number.
const MEMBERSHIPS: [usize; 2] = [3, GROUPS];

/// What the administrator wrote.
#[derive(Clone, Copy, Debug)]
enum Rules {
    None,
    /// A hundred that ask alike.
    Alike,
    /// A hundred, of which the one that fits asks for less than those before it: it must be known whether their groups
    /// exist.
    LenientLast,
}

impl Rules {
    const ALL: [Self; 3] = [Self::None, Self::Alike, Self::LenientLast];

    fn service(self) -> &'static str {
        match self {
            Self::None => "rules-none",
            Self::Alike => "rules-alike",
            Self::LenientLast => "rules-lenient-last",
        }
    }

    fn text(self) -> String {
        let last = match self {
            Self::None => return String::new(),
            Self::Alike => "required",
            Self::LenientLast => "optional",
        };
        let rule = |number: usize, (group, other): (String, String)| {
            let asks = if number + 1 == RULES { last } else { "required" };
            format!(
                "\n[[rule]]\nname = \"rule {number}\"\ngroups = [\"{group}\", \"{other}\"]\nsecond_factor = \"{asks}\"\n"
            )
        };
        // Users in all groups are in the unwanted ones; users in few are in none of these.
        let passed_over = (0..RULES - 1).map(|at| rule(at, (group(2 * at), format!("!{}", group(2 * at + 1)))));
        passed_over.chain(iter::once(rule(RULES - 1, (group(GROUPS - 2), group(GROUPS - 1))))).collect()
    }
}

/// One way to log in, under each of the rules.
pub(crate) struct Row {
    pub(crate) name: String,
    /// In the order of [`HEAD`].
    pub(crate) times: [Samples; 3],
}

/// What the columns are.
pub(crate) const HEAD: [&str; 3] = ["no rules", "100 rules", "100 rules, the last lenient"];

/// Measures, so many rounds of each.
pub(crate) fn measure(scene: &Scene<'_>, pool: &mut Pool, rounds: usize, sshd_rounds: usize) -> Vec<Row> {
    set(scene);
    let mut rows = Vec::new();
    for (who, groups) in MEMBERSHIPS.iter().enumerate() {
        eprintln!("{RULES} rules, {groups} groups: {rounds} rounds, {sshd_rounds} with sshd");
        let row = |what: &str| Row { name: format!("{what}, in {groups} groups"), times: Default::default() };
        let (mut module, mut processor, mut whole) = (row("libpam"), row("processor"), row("sshd"));
        for round in 0..rounds {
            for at in turns(round) {
                let done = through_libpam(scene, pool, Rules::ALL[at], who);
                module.times[at].push(done.0);
                processor.times[at].push(done.1);
            }
        }
        rows.extend([module, processor]);
        if Path::new("/usr/sbin/sshd").exists() {
            let sshd = Sshd::new(scene.world);
            for round in 0..sshd_rounds {
                for at in turns(round) {
                    whole.times[at].push(through_sshd(scene, &sshd, Rules::ALL[at], who));
                }
            }
            rows.push(whole);
        }
    }
    rows
}

/// Each round begins with another one.
fn turns(round: usize) -> impl Iterator<Item = usize> {
    (0..Rules::ALL.len()).map(move |turn| (round + turn) % Rules::ALL.len())
}

fn set(scene: &Scene<'_>) {
    let world = scene.world;
    let people: Vec<_> = (0..MEMBERSHIPS.len()).map(person).collect();
    for number in 0..GROUPS {
        // The last groups are those of everybody.
        let members = iter::zip(&people, MEMBERSHIPS).filter(|(_, groups)| GROUPS - number <= *groups);
        world.group(&group(number), &members.map(|(person, _)| person.name.as_str()).collect::<Vec<_>>());
    }
    for rules in Rules::ALL {
        world.write(file(rules), scene.configuration(ACCOUNTS) + &rules.text());
        world.service(rules.service(), &stack(rules));
    }
}

fn through_libpam(scene: &Scene<'_>, pool: &mut Pool, rules: Rules, who: usize) -> (u64, u64) {
    scene.put_back(Contender::Twinlock, ACCOUNTS, &[who]);
    let job = format!("login {} {} {}", rules.service(), person(who).name, scene.code());
    let done = pool.perform(&[job]).1[0];
    assert_eq!(done.code, PamCode::Success, "{rules:?}: {:?}", scene.world.log().last());
    (done.end - done.begin, done.worked)
}

fn through_sshd(scene: &Scene<'_>, sshd: &Sshd<'_>, rules: Rules, who: usize) -> u64 {
    scene.put_back(Contender::Twinlock, ACCOUNTS, &[who]);
    scene.world.service("sshd", &stack(rules));
    let client = sshd.login(&person(who).name).answer(scene.code());
    let begin = clock::now();
    let login = client.run();
    let end = clock::now();
    assert!(login.granted, "{rules:?}: {login:?}");
    end - begin
}

fn group(number: usize) -> String {
    format!("team-{number:03}")
}

fn file(rules: Rules) -> String {
    format!("/etc/twinlock/{}.toml", rules.service())
}

fn stack(rules: Rules) -> String {
    let permit = "account required pam_permit.so\nsession required pam_permit.so\n";
    format!("auth required pam_twinlock.so config={}\n{permit}", file(rules))
}

//! A host with alice, who is enrolled, and bob, who is not; and attempts of theirs under faults.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use twinlock_tests::{
    Account, Attempt, Authenticator, CONFIG, Faults, ForgedState, Injector, STORE, Snapshot, Told, World,
    credentials_of, in_world, state_of,
};

use crate::faults::scenario::Scenario;

/// The module with every return code passed on; libpam never passes `PAM_IGNORE` on, so a module behind it turns that
/// into `PAM_CRED_UNAVAIL`.
fn stack(arguments: &str) -> String {
    format!(
        "auth [ignore=ignore success=done default=die] pam_twinlock.so {arguments}\n\
         auth required pam_debug.so auth=cred_unavail\n\
         account [ignore=ignore success=done default=die] pam_twinlock.so {arguments}\n\
         account required pam_debug.so acct=cred_unavail\n"
    )
}

/// Enough free failures for all attempts that follow on a fault.
const SETTINGS: &str = "fail_delay = \"0s\"\n[throttle]\nfree_failures = 10\n\
    [[rule]]\nname = \"office\"\nservices = [\"office\"]\nsecond_factor = \"required\"\nremember = \"8h\"\n\
    [[rule]]\nname = \"crew\"\nservices = [\"crew\"]\ngroups = [\"crew9\"]\nsecond_factor = \"required\"\n\
    [[rule]]\nname = \"others\"\nservices = [\"crew\"]\nsecond_factor = \"skip\"\n";

/// Recovery codes with hashes of the least cost that the format allows: an attempt with one then takes 4 ms and not 25.
pub(crate) const RECOVERY: [(&str, &str); 3] = [
    ("6N93-E2Y9-298M-ZYZM", "0cADXI2joL4XcwepmGISkWeCU2RrPtAKPCMS9WqWFEI"),
    ("XGZF-C45J-EYH8-T9RG", "YuDNnpf3k+8RAR+uImiYVpDZ8QVXJADWy1vqLdy8BVM"),
    ("GFAZ-VS46-EQSX-TBMM", "dmvam1jR8wCj6CL6TytUk1UqccFVJtx+Y26fRjOr74I"),
];
const COST: &str = "$argon2id$v=19$m=7168,t=1,p=1$t2R+sBjlrUzz7fVrIAh+rQ$";

/// Where somebody comes from whose logins are remembered.
const OFFICE: &str = "192.0.2.7";
const KEY: &str = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    pub(crate) alice: Account,
    pub(crate) app: Authenticator,
    injector: RefCell<Injector>,
    /// What a login has no business to change.
    fixed: [Vec<u8>; 2],
    /// A state of alice's with a login that is remembered.
    remembered: Vec<u8>,
}

/// Answers that are worth something now. The first code stays valid for one whole period at least, as does the second.
pub(crate) struct Given {
    pub(crate) code: String,
    pub(crate) next: String,
    pub(crate) wrong: String,
}

pub(crate) fn on_a_host(test: impl FnOnce(&Scene<'_>) + Send) {
    on_a_host_where(|_| (), test);
}

/// On a host that is prepared otherwise.
pub(crate) fn on_a_host_where(prepare: impl FnOnce(&World) + Send, test: impl FnOnce(&Scene<'_>) + Send) {
    in_world(|world| {
        world.set_up(SETTINGS);
        prepare(world);
        world.service("svc", &stack(""));
        world.service("lax", &stack("nullok"));
        world.service("office", &stack(""));
        world.service("crew", &stack(""));
        let alice = world.account("alice");
        world.account("bob");
        for number in 0..10 {
            world.group(&format!("crew{number}"), &["alice"]);
        }
        let app = world.deploy("alice").authenticator;
        let credentials = fs::read_to_string(credentials_of("alice")).unwrap();
        let (authenticator, _) = credentials.split_once("[recovery]").unwrap();
        let one = |(id, (_, hash)): (u8, (&str, &str))| format!("{{ id = {id}, hash = \"{COST}{hash}\" }},\n");
        let codes = (1..).zip(RECOVERY).map(one).collect::<Vec<_>>().concat();
        world.write_secret(
            credentials_of("alice"),
            format!("{authenticator}[recovery]\nset = \"set1\"\ncodes = [\n{codes}]\n"),
        );
        let injector = RefCell::new(Injector::start(world, &["svc", "lax", "office", "crew"]));
        let fixed = fixed();
        let mut scene = Scene { world, alice, app, injector, fixed, remembered: Vec::new() };
        scene.remembered = scene.remember();
        test(&scene);
    });
}

fn fixed() -> [Vec<u8>; 2] {
    [fs::read(CONFIG).unwrap(), fs::read(credentials_of("alice")).unwrap()]
}

impl Scene<'_> {
    /// What is worth something now.
    pub(crate) fn given(&self) -> Given {
        let step = self.app.now_step();
        let code = |step| self.app.code_at(step);
        Given { code: code(step), next: code(step + 1), wrong: self.app.wrong_code() }
    }

    /// A state of alice's, to be forged; she never failed.
    pub(crate) fn state(&self) -> ForgedState {
        ForgedState::of(&self.alice)
    }

    /// Her state with a login that is remembered.
    pub(crate) fn remembered(&self) -> Vec<u8> {
        self.remembered.clone()
    }

    /// Puts this in the place of her state; `None` for none.
    pub(crate) fn put(&self, state: Option<&[u8]>) {
        match state {
            Some(bytes) => self.world.write_secret(state_of("alice"), bytes),
            None => drop(fs::remove_file(state_of("alice"))),
        }
    }

    pub(crate) fn run(&self, attempts: &[Attempt], faults: Faults) -> Told {
        self.injector.borrow_mut().run(attempts, faults)
    }

    /// Nothing was written to the standard error of any host.
    pub(crate) fn assert_silent(&self) {
        assert_eq!(self.injector.borrow().errors(), "");
    }

    /// Hosts wrote to their standard error only that there was no memory, which is Rust's last word before it aborts.
    pub(crate) fn assert_only_out_of_memory(&self) {
        let errors = self.injector.borrow().errors();
        let expected = ["memory allocation of ", "note: run with `RUST_BACKTRACE=1`"];
        let unexpected =
            errors.lines().find(|line| !line.is_empty() && !expected.iter().any(|one| line.starts_with(one)));
        assert_eq!(unexpected, None);
    }

    /// Nothing but states was changed, and nothing is left lying about.
    pub(crate) fn assert_tidy(&self, context: &str) {
        assert!(fixed() == self.fixed, "I5: {context}: the configuration or the credentials were changed");
        let snapshot = Snapshot::of(STORE);
        let left: Vec<_> = snapshot.paths().into_iter().map(PathBuf::from).collect();
        let store = PathBuf::from(STORE);
        let mut expected = vec![store.clone(), store.join("credentials"), credentials_of("alice"), store.join("state")];
        if fs::exists(state_of("alice")).unwrap() {
            expected.push(state_of("alice"));
        }
        expected.push(store.join("store-id"));
        expected.push(store.join("uid"));
        assert_eq!(left, expected, "no litter: {context}");
    }

    fn remember(&self) -> Vec<u8> {
        self.state().write(self.world);
        let attempt = from_the_office(attempt("office", "alice", &[self.given().code]));
        let told = self.run(&[attempt], Faults::default());
        assert_eq!(told.code(), Some(twinlock_tests::PamCode::Success), "{told:?}");
        let bytes = fs::read(state_of("alice")).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("[remembered]"), "{}", String::from_utf8_lossy(&bytes));
        bytes
    }
}

/// An attempt that gives these answers.
pub(crate) fn attempt(service: &str, user: &str, answers: &[String]) -> Attempt {
    answers.iter().fold(Attempt::new(service).user(user), Attempt::answer)
}

/// The attempt of a scenario.
pub(crate) fn attempt_of(scenario: &Scenario, given: &Given) -> Attempt {
    let attempt = attempt(scenario.service, scenario.user, &(scenario.answers)(given));
    if scenario.service == "office" { from_the_office(attempt) } else { attempt }
}

fn from_the_office(attempt: Attempt) -> Attempt {
    attempt.rhost(OFFICE).pam_environment("SSH_AUTH_INFO_0", KEY)
}

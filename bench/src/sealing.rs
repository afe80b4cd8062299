//! What sealed secrets cost a login: the same person with credentials in clear and sealed, in turns.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

use twinlock_tests::{Enrolled, PamCode, World, authenticate};

use crate::samples::Samples;
use crate::scene::{Person, c_string, person};
use crate::worker::Pool;

/// What the columns are.
pub(crate) const HEAD: [&str; 2] = ["in clear", "sealed"];
/// The id of the stores whose configuration has none beside it.
const HOST_ID: &str = "/etc/twinlock/store-id";
const STORES: [&str; 2] = ["clear", "sealed"];
/// The person of these stores. No other measurement needs them.
const WHO: usize = 1;

/// What a login takes, in the order of [`HEAD`]: in all, and of the processor.
pub(crate) struct Costs {
    pub(crate) whole: [Samples; 2],
    pub(crate) processor: [Samples; 2],
}

/// A store with one person, and the state to begin each login from.
struct Store {
    name: &'static str,
    enrolled: Enrolled,
    state: Vec<u8>,
}

/// Measures, so many rounds of each.
pub(crate) fn measure(world: &World, pool: &mut Pool, rounds: usize) -> Costs {
    eprintln!("sealed secrets: {rounds} rounds");
    let person = person(WHO);
    let stores = STORES.map(|name| Store::make(world, name, &person));
    let mut costs = Costs { whole: Default::default(), processor: Default::default() };
    for round in 0..rounds {
        for turn in 0..stores.len() {
            let at = (round + turn) % stores.len();
            let store = &stores[at];
            store.put_back(&person);
            let app = &store.enrolled.authenticator;
            let job = format!("login {} {} {}", store.service(), person.name, app.code_at(app.now_step()));
            let done = pool.perform(&[job]).1[0];
            assert_eq!(done.code, PamCode::Success, "{}: {:?}", store.name, world.log().last());
            costs.whole[at].push(done.end - done.begin);
            costs.processor[at].push(done.worked);
        }
    }
    costs
}

impl Store {
    /// In a folder of configuration of its own, where the form is said.
    fn make(world: &World, name: &'static str, person: &Person) -> Self {
        let (folder, key) = (format!("/etc/twinlock-{name}"), format!("/etc/twinlock-{name}/key"));
        fs::create_dir(&folder).expect("/etc is ours");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&key).expect("/etc is ours");
        file.write_all(&[7; 32]).expect("/etc is ours");
        let config = format!("{folder}/config.toml");
        world.write(&config, format!("[store]\ndirectory = \"/var/lib/twinlock-{name}\"\nkey_file = \"{key}\"\n"));
        let run = |words: &[&str]| {
            let done = world.twinlock(&[&["--config", &config], words].concat());
            assert_eq!(done.code, Some(0), "{words:?}: {done:?}");
        };
        // An id beside this configuration; that of the other stores stays what it is.
        let others = fs::read(HOST_ID).ok();
        run(&["store", "init", "--accept"]);
        fs::copy(format!("/var/lib/twinlock-{name}/store-id"), format!("{folder}/store-id")).expect("just made");
        if let Some(id) = others {
            fs::write(HOST_ID, id).expect("/etc is ours");
        }
        let enrolled = world.enrol_with(&person.name, &["--config", &config]);
        if name == "sealed" {
            run(&["seal", "enable", "--escrow", &format!("{folder}/phrase")]);
        }
        let mut store = Self { name, enrolled, state: Vec::new() };
        world.service(&store.service(), &format!("auth required pam_twinlock.so config={config}\n"));
        let app = &store.enrolled.authenticator;
        let service = c_string(&store.service());
        // With the step before this one; where that is too old already, once more.
        let logged_in = (0..2).any(|_| {
            let code = app.code_at(app.now_step() - 1);
            authenticate(&service, &c_string(&person.name), code.as_bytes()) == PamCode::Success
        });
        assert!(logged_in, "{name}: {:?}", world.log());
        store.state = fs::read(store.state_file(person)).expect("where states are");
        store
    }

    fn service(&self) -> String {
        format!("store-{}", self.name)
    }

    fn state_file(&self, person: &Person) -> PathBuf {
        PathBuf::from(format!("/var/lib/twinlock-{}/state/{}", self.name, person.name))
    }

    fn put_back(&self, person: &Person) {
        let file = OpenOptions::new().write(true).open(self.state_file(person)).expect("enrolled");
        file.write_all_at(&self.state, 0).and_then(|()| file.sync_all()).expect("the disk takes it");
    }
}

//! The power fails on a btrfs: the image of the disk is kept as it is when a login is killed at each of its calls, and with
//! the block of a slot torn at each sector; the built module reads each of them.
//!
//! What the images show: the file system can be mounted again, and has the record as it was at the last sync or a later
//! one. A block that is torn is read as it is, since the flag against copy-on-write takes the checksums of btrfs away with
//! it: the checksum of the slot decides, as on other file systems. In what order a device writes the blocks between two
//! syncs is not tried here; `pairs` tries every mixture of the sectors of the record.

use std::fs;

use memchr::memmem;
use twinlock_tests::{
    Account, Attempt, Authenticator, Enrolled, Launch, LoopDisk, PamCode, SLOT, State, World, in_world,
    is_root_in_earnest, sample_of_sweep, state_of, tally,
};

const BASE: &str = "/run/base.img";
const CUT: &str = "/run/cut.img";
const SECTOR: usize = 512;

/// alice on a btrfs, after a login.
struct Scene<'w> {
    world: &'w World,
    disk: LoopDisk,
    alice: Enrolled,
}

/// How an attempt went before the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    Granted,
    Refused,
}

fn on_btrfs(test: impl FnOnce(&Scene<'_>) + Send) {
    if is_root_in_earnest("a loop device") {
        in_world(|world| {
            world.set_up("");
            world.service("svc", "auth required pam_twinlock.so\n");
            let _: Account = world.account("alice");
            let disk = LoopDisk::lay_over_var_lib();
            let scene = Scene { world, disk, alice: world.enrol("alice") };
            let app = scene.app();
            assert_eq!(scene.answer(&app.code_at(app.now_step() - 1)), PamCode::Success);
            scene.disk.unmount();
            copy(scene.disk.image().to_str().unwrap(), BASE);
            scene.disk.mount();
            test(&scene);
        });
    }
}

fn copy(from: &str, to: &str) {
    let copied = Launch::new(["cp", "--sparse=always", from, to]).run();
    assert_eq!(copied.code, Some(0), "{copied:?}");
}

impl Scene<'_> {
    fn app(&self) -> &Authenticator {
        &self.alice.authenticator
    }

    fn attempt(&self, answer: &str) -> Attempt {
        Attempt::new("svc").user(&self.alice.user).answer(answer)
    }

    fn answer(&self, answer: &str) -> PamCode {
        self.attempt(answer).run(self.world).code()
    }

    /// Mounts this image in the place of the one that is mounted.
    fn put(&self, image: &str) {
        self.disk.unmount();
        copy(image, self.disk.image().to_str().unwrap());
        self.disk.mount();
    }

    /// Cuts the power: what the device has now is all that is left.
    fn cut_power(&self) {
        copy(self.disk.image().to_str().unwrap(), CUT);
        self.put(CUT);
    }

    /// After the power is back: what was seen is on record, a code that was used is refused, and alice gets in.
    fn read(&self, before: &State, used: u64, end: End, when: &str) {
        let now = State::of("alice");
        let (last_step, spent) = (now.number("authenticator.last_step"), now.charges()[3]);
        assert!(last_step >= before.number("authenticator.last_step"), "{when}: {now:?}");
        assert!(end != End::Granted || last_step == used, "{when}: what was granted is on record: {now:?}");
        assert!(end != End::Refused || spent > before.charges()[3], "{when}: a refusal is on record: {now:?}");
        if end == End::Granted {
            assert_eq!(self.answer(&self.app().code_at(used)), PamCode::AuthErr, "{when}");
        }
        let fresh = self.app().code_at(self.app().now_step() + 1);
        assert_eq!(self.answer(&fresh), PamCode::Success, "{when}: {:#?}", self.world.log());
    }
}

#[test]
fn every_image_at_a_call_of_an_attempt_is_sound() {
    const CALLS: [(&str, usize); 4] = [("pwrite64", 1), ("pwrite64", 2), ("fdatasync", 1), ("pwrite64", 3)];
    on_btrfs(|scene| {
        let mut images = 0;
        for right in [true, false] {
            for call in CALLS.map(Some).into_iter().chain([None]) {
                scene.put(BASE);
                let before = State::of("alice");
                let step = scene.app().now_step();
                let answer = if right { scene.app().code_at(step) } else { scene.app().wrong_code() };
                let attempt = scene.attempt(&answer);
                let end = if let Some((call, number)) = call {
                    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
                    let outcome = attempt.under(["strace", "-f", "-o", "/run/trace", "-e", &inject]).run(scene.world);
                    assert!(!outcome.report_came(), "{call} {number} was reached");
                    End::Killed
                } else {
                    let code = attempt.run(scene.world).code();
                    assert_eq!(code, if right { PamCode::Success } else { PamCode::AuthErr });
                    if right { End::Granted } else { End::Refused }
                };
                scene.cut_power();
                scene.read(&before, step, end, &format!("right: {right}, {call:?}"));
                images += 1;
            }
        }
        tally("power", "images of a btrfs", images);
    });
}

#[test]
fn a_slot_that_is_torn_at_a_sector_is_read_and_the_other_one_counts() {
    on_btrfs(|scene| {
        let before = State::of("alice");
        let old = fs::read(state_of("alice")).unwrap();
        let step = scene.app().now_step();
        assert_eq!(scene.answer(&scene.app().code_at(step)), PamCode::Success);
        let new = fs::read(state_of("alice")).unwrap();
        scene.disk.unmount();
        copy(scene.disk.image().to_str().unwrap(), CUT);
        scene.disk.mount();
        let changed = usize::from(old[..SLOT] == new[..SLOT]) * SLOT;
        let (old, new) = (&old[changed..changed + SLOT], &new[changed..changed + SLOT]);
        let disk = fs::read(CUT).unwrap();
        let places: Vec<_> = memmem::find_iter(&disk, new).collect();
        assert_eq!(places.len(), 1, "the slot is one block of the disk");
        let differ: Vec<_> = (0..SLOT / SECTOR)
            .filter(|at| {
                let sector = at * SECTOR..(at + 1) * SECTOR;
                old[sector.clone()] != new[sector]
            })
            .collect();
        assert!(!differ.is_empty());
        let mut images = 0;
        for end in sample_of_sweep(11, differ.iter().flat_map(|at| [0, 16, 64, 500].map(|cut| at * SECTOR + cut))) {
            // All before it is new, all behind it old.
            let mut torn = disk.clone();
            torn[places[0] + end..places[0] + SLOT].copy_from_slice(&old[end..]);
            fs::write("/run/torn.img", torn).unwrap();
            scene.put("/run/torn.img");
            scene.read(&before, step, End::Killed, &format!("torn at {end}"));
            images += 1;
        }
        tally("power", "images of a btrfs", images);
    });
}

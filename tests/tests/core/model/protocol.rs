//! One user, several processes, a disk and a clock: all that can happen to them, and what must hold whatever happens.

use std::{collections::HashMap, mem::size_of};

use twinlock_core::{
    credentials::Enrolment,
    record::Record,
    throttle::{Gate, Limits, Method},
    time::UnixTime,
};

use super::{
    explore::World,
    flaw::Flaw,
    program::{Act, End, Next, Programs, Script, Told},
};
use crate::given::NOON;

/// Processes of one exploration.
pub(super) const MOST: usize = 5;
/// Different right answers of one exploration.
const ANSWERS: usize = 6;
/// Permits to hash on one host.
const HASH_PERMITS: usize = 2;
const DAY: u32 = 86_400;

/// What an answer is worth, known apart from the code that judges it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// Nothing.
    Wrong,
    /// The code of a step of the authenticator of one of the two enrolments.
    Step { enrolment: u8, step: u64 },
    /// A recovery code of one of the two enrolments.
    Recovery { enrolment: u8 },
    /// A code that was issued beside those of the first enrolment, and is valid from one time to another.
    Issued { from: u64, until: u64 },
}

/// How often what may happen.
#[derive(Clone, Copy, Hash)]
pub(super) struct Allowed {
    /// A process is killed.
    pub(super) kills: u8,
    /// The power fails.
    pub(super) power_failures: u8,
    /// The clock is moved.
    pub(super) clock_moves: u8,
}

/// What an exploration begins with.
pub(super) struct Scene {
    /// What each process does: an attempt with these answers, of [`Scene::answers`] by their place.
    pub(super) attempts: Vec<Vec<usize>>,
    /// The answers, and what they are worth.
    pub(super) answers: Vec<(String, Worth)>,
    /// The enrolment, and the one that root may put in its place.
    pub(super) enrolments: [Enrolment; 2],
    /// Whether root does that, with the step of the confirming code.
    pub(super) replaced: Option<u64>,
    /// Two codes of an enrolment's owner at any time, for the last property.
    pub(super) owner: fn(u8, u64) -> Vec<String>,
    /// What was before.
    pub(super) record: Record,
    pub(super) limits: Limits,
    /// By how many seconds the clock may be moved at once.
    pub(super) moves: &'static [i32],
    pub(super) allowed: Allowed,
}

/// A process. What it was told and does is a point of its program.
#[derive(Clone, Copy, Hash)]
struct Process {
    node: u32,
    /// How many acts of the point are done.
    done: u8,
    dead: bool,
    /// How far the clock had moved on when it got the lock.
    locked_at: u32,
    /// What its charge stands in the place of, until the end is written.
    uncharged: Option<(u8, [u32; 2])>,
}

/// A record on the disk, and what it must not have forgotten.
#[derive(Clone, Copy, Hash)]
struct Image {
    record: u32,
    /// Answers refused since the last one granted.
    row: u8,
    /// How far the clock had moved on when the last code was looked at, and the last recovery code.
    looked_at: [u32; 2],
}

#[derive(Clone, Copy, Hash)]
pub(super) struct State {
    processes: [Process; MOST],
    durable: Image,
    /// What was written since the last sync; the disk may have any of it, or none.
    cached: [Option<Image>; 2],
    /// Which enrolment is on the disk, and which one is read.
    enrolments: [u8; 2],
    /// Seconds since noon, and the most there ever were.
    clock: i32,
    latest: i32,
    /// Seconds by which the clock was ever moved on. Moved back counts as nothing.
    moved: u32,
    allowed: Allowed,
    /// How often each answer was granted.
    granted: [u8; ANSWERS],
    /// Refusals that were seen of answers that were looked at; and those of them that took one code alone.
    refused: u8,
    refused_by_one: u8,
    broken: Option<Broken>,
}

/// A property that one step can break.
#[derive(Clone, Copy, Hash)]
enum Broken {
    Unproven,
    Unspaced,
    Stuck,
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "read by whoever reads a history")]
pub(super) enum Event {
    Answers { process: u8 },
    GetsAHashPermit { process: u8 },
    Locks { process: u8 },
    Does { process: u8, act: Act },
    IsKilled { process: u8 },
    PowerFails { survives: u8, enrolment: u8 },
    ClockMoves { seconds: i32 },
}

/// The world of a scene.
pub(super) struct Protocol {
    scene: Scene,
    programs: Programs,
    flaw: Option<Flaw>,
    owners: HashMap<(u32, u8, i32), bool>,
}

impl Protocol {
    pub(super) fn new(scene: Scene, flaw: Option<Flaw>) -> Self {
        let answers = |attempt: &Vec<usize>| attempt.iter().map(|at| scene.answers[*at].0.clone()).collect();
        let mut scripts: Vec<_> = scene.attempts.iter().map(answers).map(Script::Login).collect();
        scripts
            .extend(scene.replaced.map(|confirmed| Script::Replace(Box::new(scene.enrolments[1].clone()), confirmed)));
        assert!(scripts.len() <= MOST && scene.answers.len() <= ANSWERS, "room for all");
        let programs = Programs::new(scripts, scene.enrolments.clone(), &scene.record, scene.limits, flaw);
        Self { scene, programs, flaw, owners: HashMap::new() }
    }

    fn processes(&self) -> usize {
        self.scene.attempts.len() + usize::from(self.scene.replaced.is_some())
    }

    fn act(&self, process: &Process) -> Option<Act> {
        let act = self.programs.node(process.node).acts.get(usize::from(process.done));
        act.copied().filter(|_| !process.dead)
    }

    /// Whether it has the lock: until its last act on the disk is done.
    fn holds_lock(&self, process: &Process) -> bool {
        let left = self.programs.node(process.node).acts.iter().skip(process.done.into());
        !process.dead && left.into_iter().any(|act| !matches!(act, Act::Reveal(_)))
    }

    fn holds_turn(&self, process: &Process) -> bool {
        let told = &self.programs.node(process.node).told;
        let waits_for_lock = matches!(told.last(), Some(Told::HashPermit));
        !process.dead && told.contains(&Told::HashPermit) && (waits_for_lock || self.holds_lock(process))
    }

    /// What is given at this point of a program: 0 for codes, 1 for recovery codes, which alone take a permit.
    fn method(&self, node: u32) -> usize {
        usize::from(self.programs.node(node).told.contains(&Told::HashPermit))
    }

    fn has_begun(&self, process: &Process) -> bool {
        !self.programs.node(process.node).told.is_empty()
    }

    fn has_ended(&self, process: &Process) -> bool {
        process.dead || self.act(process).is_none() && self.programs.node(process.node).next == Next::Nothing
    }

    /// The next step of a process, unless it waits for another one.
    fn step(&mut self, state: &State, at: usize) -> Option<(Event, State)> {
        let (mut next, process) = (*state, u8::try_from(at).unwrap());
        let this = state.processes[at];
        if this.dead {
            return None;
        }
        if let Some(act) = self.act(&this) {
            next.processes[at].done += 1;
            self.perform(&mut next, at, act);
            return Some((Event::Does { process, act }, next));
        }
        let now = NOON.strict_add_signed(state.clock.into());
        let (told, event) = match self.programs.node(this.node).next {
            Next::Nothing => return None,
            Next::Answer => (Told::Answer(now), Event::Answers { process }),
            Next::HashPermit => {
                let taken = state.processes.iter().filter(|process| self.holds_turn(process)).count();
                (taken < HASH_PERMITS).then_some((Told::HashPermit, Event::GetsAHashPermit { process }))?
            }
            Next::Lock => {
                let taken = state.processes.iter().any(|process| self.holds_lock(process));
                let free = !taken || self.flaw == Some(Flaw::NoLock);
                let (record, enrolment) = (state.visible().record, state.enrolments[1]);
                free.then_some((Told::Lock { record, enrolment, now }, Event::Locks { process }))?
            }
        };
        let node = self.programs.tell(this.node, told);
        next.processes[at] = Process { node, done: 0, dead: false, locked_at: state.moved, uncharged: None };
        if self.programs.node(node).acts.iter().any(|act| matches!(act, Act::Charge(_))) {
            let Image { row, looked_at, .. } = state.visible();
            let spacing = u32::try_from(self.scene.limits.spacing.as_secs()).unwrap();
            let passed = state.moved - looked_at[self.method(node)];
            if u32::from(row) >= self.scene.limits.free_failures && passed < spacing {
                next.broken = Some(Broken::Unspaced);
            }
        }
        Some((event, next))
    }

    fn perform(&self, state: &mut State, at: usize, act: Act) {
        let Process { node, locked_at, .. } = state.processes[at];
        let Image { row, looked_at, .. } = state.visible();
        match act {
            Act::SyncCurrent | Act::Sync if self.flaw == Some(Flaw::NoSync) => {}
            Act::SyncCurrent | Act::Sync => {
                state.durable = state.visible();
                state.cached = [None; 2];
            }
            Act::Charge(record) => {
                state.processes[at].uncharged = Some((row, looked_at));
                let mut looked_at = looked_at;
                looked_at[self.method(node)] = locked_at;
                state.write(Image { record, row: row + 1, looked_at });
            }
            Act::Commit(record) => {
                let before = state.processes[at].uncharged.take();
                let reveals = |end| self.programs.node(node).acts.contains(&Act::Reveal(end));
                let (row, looked_at) = match before {
                    _ if reveals(End::Granted) => (0, looked_at),
                    Some(before) if reveals(End::Used) => before,
                    _ => (row, looked_at),
                };
                state.write(Image { record, row, looked_at });
            }
            Act::Change(record) => {
                // Only a new enrolment lifts what earlier answers brought about.
                let lifted = self.programs.record(record).throttle.failures == 0;
                state.write(Image { record, row: if lifted { 0 } else { row }, looked_at });
            }
            Act::Rename => state.enrolments[1] = 1,
            Act::SettleFolder if self.flaw == Some(Flaw::ForgetsEarly) => {}
            Act::SettleFolder | Act::SyncFolder => state.enrolments[0] = state.enrolments[1],
            Act::Reveal(end) => self.reveal(state, node, end),
        }
    }

    fn reveal(&self, state: &mut State, node: u32, end: End) {
        let node = self.programs.node(node);
        let given = node.told.iter().filter(|told| matches!(told, Told::Answer(_))).count();
        let answers = &self.scene.attempts[node.script][..given];
        match end {
            End::Granted => {
                for answer in answers {
                    state.granted[*answer] += 1;
                }
                if !self.is_proven(&node.told, answers) {
                    state.broken = Some(Broken::Unproven);
                }
            }
            End::Refused => {
                state.refused += 1;
                let recovery = answers.iter().any(|answer| {
                    matches!(self.scene.answers[*answer].1, Worth::Recovery { .. } | Worth::Issued { .. })
                });
                state.refused_by_one += u8::from(given == 1 && !recovery);
            }
            End::Used | End::Unseen => {}
        }
    }

    /// Whether each answer was right when it was given, for the enrolment that was read under the lock.
    fn is_proven(&self, told: &[Told], answers: &[usize]) -> bool {
        let held = told.iter().rev().find_map(|told| match told {
            Told::Lock { enrolment, now, .. } => Some((*enrolment, *now)),
            Told::Answer(_) | Told::HashPermit => None,
        });
        let is_held = |enrolment| held.is_some_and(|(held, _)| held == enrolment);
        let times = told.iter().filter_map(|told| match told {
            Told::Answer(at) => Some(*at),
            Told::Lock { .. } | Told::HashPermit => None,
        });
        times.zip(answers).all(|(at, answer)| match self.scene.answers[*answer].1 {
            Worth::Wrong => false,
            Worth::Step { enrolment, step } => is_held(enrolment) && (at / 30).abs_diff(step) <= 1,
            Worth::Recovery { enrolment } => is_held(enrolment),
            Worth::Issued { from, until } => held.is_some_and(|(held, now)| held == 0 && (from..until).contains(&now)),
        })
    }

    /// Whether the owner gets in with two codes once the clock is right and the spacing has passed, whichever of what was
    /// written the disk has.
    fn owner_gets_in(&mut self, state: &State) -> bool {
        state.images().all(|image| {
            state.enrolments.into_iter().all(|enrolment| self.owner_gets_into(image.record, enrolment, state.latest))
        })
    }

    fn owner_gets_into(&mut self, record: u32, enrolment: u8, latest: i32) -> bool {
        let key = (record, enrolment, latest);
        if let Some(known) = self.owners.get(&key) {
            return *known;
        }
        let now = NOON.strict_add_signed(latest.into()) + 90;
        let throttle = &self.programs.record(record).throttle;
        // The one state from which only an administrator, or a recovery code, leads out.
        let disabled =
            throttle.gate(&self.scene.limits, Method::Otp, 2, None, UnixTime::from_seconds(now)) == Gate::Disabled;
        let answers = (self.scene.owner)(enrolment, now);
        let mut node = self.programs.begin(Script::Login(answers));
        for _ in 0..4 {
            let told = match self.programs.node(node).next {
                Next::Answer => Told::Answer(now),
                Next::Lock => Told::Lock { record, enrolment, now },
                Next::HashPermit | Next::Nothing => break,
            };
            node = self.programs.tell(node, told);
        }
        let granted = disabled || self.programs.node(node).acts.contains(&Act::Reveal(End::Granted));
        self.owners.insert(key, granted);
        granted
    }

    /// Wrong answers that the worst image left by a power failure right now has on record.
    fn spent(&self, state: &State) -> u32 {
        let spent = state.images().map(|image| self.programs.record(image.record).throttle.spent);
        spent.min().unwrap_or(0)
    }

    fn power_fails(&self, state: &State, happen: &mut Vec<(Event, State)>) {
        let mut dark = State { cached: [None; 2], ..*state };
        dark.allowed.power_failures -= 1;
        for process in &mut dark.processes {
            process.dead |= self.has_begun(process);
        }
        let [old, new] = state.enrolments;
        for enrolment in if old == new { vec![old] } else { vec![old, new] } {
            for (survives, image) in (0u8..).zip(state.images()) {
                let next = State { durable: image, enrolments: [enrolment; 2], ..dark };
                happen.push((Event::PowerFails { survives, enrolment }, next));
            }
        }
    }
}

impl State {
    /// What the disk may have if the power fails now.
    fn images(&self) -> impl Iterator<Item = Image> {
        [Some(self.durable), self.cached[0], self.cached[1]].into_iter().flatten()
    }

    /// What is read: what was written last.
    fn visible(&self) -> Image {
        self.cached[1].or(self.cached[0]).unwrap_or(self.durable)
    }

    /// An attempt writes its slot twice at most before it syncs; what is older is no more.
    fn write(&mut self, image: Image) {
        self.cached = match self.cached {
            [None, _] => [Some(image), None],
            [Some(first), None] => [Some(first), Some(image)],
            [Some(_), second] => [second, Some(image)],
        };
    }
}

impl World for Protocol {
    type State = State;
    type Event = Event;

    fn begin(&self) -> State {
        const { assert!(size_of::<State>() <= 256, "millions of them are kept") };
        let process = |at: usize| Process {
            node: u32::try_from(at.min(self.processes() - 1)).unwrap(),
            done: 0,
            dead: at >= self.processes(),
            locked_at: 0,
            uncharged: None,
        };
        State {
            processes: std::array::from_fn(process),
            durable: Image { record: 0, row: 0, looked_at: [0; 2] },
            cached: [None; 2],
            enrolments: [0; 2],
            clock: 0,
            latest: 0,
            moved: 0,
            allowed: self.scene.allowed,
            granted: [0; ANSWERS],
            refused: 0,
            refused_by_one: 0,
            broken: None,
        }
    }

    fn next(&mut self, state: &State, happen: &mut Vec<(Event, State)>) {
        for at in 0..self.processes() {
            happen.extend(self.step(state, at));
        }
        if happen.is_empty() && !state.processes.iter().all(|process| self.has_ended(process)) {
            happen.push((Event::ClockMoves { seconds: 0 }, State { broken: Some(Broken::Stuck), ..*state }));
        }
        if state.allowed.kills > 0 {
            for at in 0..self.processes() {
                let process = &state.processes[at];
                if self.has_begun(process) && !self.has_ended(process) {
                    let mut next = *state;
                    next.allowed.kills -= 1;
                    next.processes[at].dead = true;
                    happen.push((Event::IsKilled { process: u8::try_from(at).unwrap() }, next));
                }
            }
        }
        if state.allowed.power_failures > 0 {
            self.power_fails(state, happen);
        }
        if state.allowed.clock_moves > 0 {
            for seconds in self.scene.moves.iter().copied() {
                let mut next = *state;
                next.allowed.clock_moves -= 1;
                next.clock += seconds;
                next.latest = next.latest.max(next.clock);
                next.moved += u32::try_from(seconds).unwrap_or(0);
                happen.push((Event::ClockMoves { seconds }, next));
            }
        }
    }

    fn broken(&mut self, state: &State) -> Option<&'static str> {
        let days = u32::try_from(state.latest).unwrap_or(0) / DAY;
        let before = self.scene.record.throttle.spent;
        let budget = self.scene.limits.budget;
        let spent = self.spent(state);
        match state.broken {
            Some(Broken::Unproven) => return Some("I1: granted without a right answer"),
            Some(Broken::Unspaced) => return Some("I1: an answer was looked at too early"),
            Some(Broken::Stuck) => return Some("deadlock: nobody can go on"),
            None => {}
        }
        if state.granted.iter().any(|granted| *granted > 1) {
            return Some("I2: one answer was granted twice");
        }
        // A bucket is not emptier than empty; from there on two codes are asked for.
        if spent < budget && u32::from(state.refused) + before > spent + days {
            return Some("I3: more refusals were seen than are on record");
        }
        if u32::from(state.refused_by_one) + before > budget + days {
            return Some("I3: more codes were looked at than the budget has");
        }
        (!self.owner_gets_in(state)).then_some("I4: the owner is locked out")
    }
}

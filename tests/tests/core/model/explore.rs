//! Every state that can be reached from one, breadth first: the first state found broken has the shortest history.
//!
//! Its own few lines, because stateright wants worlds that threads can share, which programs that grow while they are
//! explored are not, and brings a web server along.

use std::{
    collections::HashSet,
    fmt::{self, Debug, Display},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
};

/// A world of which all states are wanted.
pub(super) trait World {
    /// One of its states.
    type State: Copy + Hash;
    /// What leads from one to the next.
    type Event: Copy + Debug;

    /// Where it begins.
    fn begin(&self) -> Self::State;

    /// All that can happen next.
    fn next(&mut self, state: &Self::State, happen: &mut Vec<(Self::Event, Self::State)>);

    /// Which property does not hold in a state.
    fn broken(&mut self, state: &Self::State) -> Option<&'static str>;
}

/// What an exploration saw.
pub(super) struct Explored<E> {
    /// How many different states.
    pub(super) states: usize,
    /// How many steps between them.
    pub(super) steps: usize,
    /// The shortest way to a state that is broken, and how it is broken.
    pub(super) broken: Option<(&'static str, Vec<E>)>,
}

/// Visits every state once, or stops at the first that is broken. As other explorers do, it keeps of a state that it has
/// seen only a hash of 64 bits: of two million states two are taken for one with a chance of 1e-7.
pub(super) fn explore<W: World>(world: &mut W) -> Explored<W::Event> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let begin = world.begin();
    let mut seen = HashSet::from([hasher.hash_one(begin)]);
    let mut states = vec![begin];
    // Which state each came from, and by what; nothing for the first.
    let mut ways: Vec<Option<(usize, W::Event)>> = vec![None];
    let (mut at, mut steps, mut happen) = (0, 0, Vec::new());
    while let Some(state) = states.get(at).copied() {
        if let Some(how) = world.broken(&state) {
            return Explored { states: states.len(), steps, broken: Some((how, history(&ways, at))) };
        }
        world.next(&state, &mut happen);
        steps += happen.len();
        for (event, next) in happen.drain(..) {
            if seen.insert(hasher.hash_one(next)) {
                states.push(next);
                ways.push(Some((at, event)));
            }
        }
        at += 1;
    }
    Explored { states: states.len(), steps, broken: None }
}

fn history<E: Copy>(ways: &[Option<(usize, E)>], mut at: usize) -> Vec<E> {
    let mut events = Vec::new();
    while let Some((before, event)) = ways[at] {
        events.push(event);
        at = before;
    }
    events.reverse();
    events
}

impl<E: Debug> Display for Explored<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} states, {} steps", self.states, self.steps)?;
        if let Some((how, events)) = &self.broken {
            write!(out, "; {how}, after:")?;
            for event in events {
                write!(out, "\n    {event:?}")?;
            }
        }
        Ok(())
    }
}

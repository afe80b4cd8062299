//! Which images a disk may have when the power fails, by what POSIX promises: of what was written since the last sync,
//! each sector of 512 bytes may be old or new, or new in its first bytes only; a name may be there once its folder was
//! synced, and surely is only then.

use std::collections::BTreeMap;

use crate::power::trace::Event;

const SECTOR: usize = 512;
/// After how many bytes a sector is torn: at the fields of a slot's header, in its body, and in the mark at its end.
const CUTS: [usize; 8] = [6, 8, 16, 24, 32, 64, 500, 506];

/// What the disk has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    /// The state, if there is one.
    pub(crate) state: Option<Vec<u8>>,
    /// Whether the credentials are the new ones.
    pub(crate) replaced: bool,
}

/// Whether something is on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surely {
    No,
    Perhaps,
    Yes,
}

/// All images, and of each whether it may be found after all was done.
pub(crate) fn images(before: Option<&[u8]>, events: &[Event]) -> BTreeMap<Image, bool> {
    let mut named = if before.is_some() { Surely::Yes } else { Surely::No };
    let mut replaced = Surely::No;
    // What the state was at its last sync, and after each write since.
    let mut versions = vec![before.unwrap_or_default().to_vec()];
    let mut images = BTreeMap::new();
    for done in 0..=events.len() {
        if let Some(event) = done.checked_sub(1).map(|last| &events[last]) {
            match event {
                Event::Write { offset, bytes } => {
                    let mut next = versions.last().unwrap().clone();
                    next.resize(next.len().max(offset + bytes.len()), 0);
                    next[*offset..offset + bytes.len()].copy_from_slice(bytes);
                    versions.push(next);
                }
                Event::Sync => drop(versions.drain(..versions.len() - 1)),
                Event::Appear => named = Surely::Perhaps,
                Event::SyncStates if named == Surely::Perhaps => named = Surely::Yes,
                Event::Replace => replaced = Surely::Perhaps,
                Event::SyncCredentials if replaced == Surely::Perhaps => replaced = Surely::Yes,
                Event::SyncStates | Event::SyncCredentials => {}
            }
        }
        let mut states: Vec<_> = if named == Surely::No { Vec::new() } else { torn(&versions).map(Some).collect() };
        states.extend((named != Surely::Yes).then_some(None));
        for state in states {
            for new in [false, true] {
                if replaced == Surely::Perhaps || new == (replaced == Surely::Yes) {
                    let image = Image { state: state.clone(), replaced: new };
                    *images.entry(image).or_default() |= done == events.len();
                }
            }
        }
    }
    images
}

/// Every mixture of the sectors of these versions.
fn torn(versions: &[Vec<u8>]) -> impl Iterator<Item = Vec<u8>> {
    let length = versions.last().unwrap().len();
    let mut whole = vec![Vec::new()];
    for at in (0..length).step_by(SECTOR) {
        let choices = choices(versions, at);
        whole =
            whole.iter().flat_map(|front| choices.iter().map(move |sector| [&front[..], sector].concat())).collect();
        assert!(whole.len() < 50_000, "few sectors change in one attempt");
    }
    whole.into_iter()
}

/// What one sector may be.
fn choices(versions: &[Vec<u8>], at: usize) -> Vec<Vec<u8>> {
    let sector = |version: &Vec<u8>| {
        let mut sector = version.get(at..).unwrap_or_default().iter().copied().take(SECTOR).collect::<Vec<_>>();
        sector.resize(SECTOR, 0);
        sector
    };
    let mut whole: Vec<_> = versions.iter().map(sector).collect();
    whole.dedup();
    let mut all = whole.clone();
    for (later, new) in whole.iter().enumerate() {
        for old in &whole[..later] {
            all.extend(CUTS.map(|cut| [&new[..cut], &old[cut..]].concat()));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn what_was_synced_is_in_every_image() {
    let write = |byte| Event::Write { offset: 0, bytes: vec![byte; SECTOR] };
    let old = [0; SECTOR];
    let states = |events: &[Event]| {
        let images = images(Some(&old), events).into_iter().filter(|(_, complete)| *complete);
        images.map(|(image, _)| image.state.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(states(&[write(1), Event::Sync]), [vec![1; SECTOR]]);
    assert_eq!(states(&[write(1)]).len(), 2 + CUTS.len());
    assert_eq!(states(&[write(1), write(2)]).len(), 3 + 3 * CUTS.len());
}

#[test]
fn a_name_is_surely_there_once_its_folder_was_synced() {
    let made = [Event::Write { offset: 0, bytes: vec![1; SECTOR] }, Event::Sync, Event::Appear, Event::SyncStates];
    for (done, expected) in [(2, vec![None]), (3, vec![None, Some(vec![1; SECTOR])]), (4, vec![Some(vec![1; SECTOR])])]
    {
        let images = images(None, &made[..done]).into_iter().filter(|(_, complete)| *complete);
        assert_eq!(images.map(|(image, _)| image.state).collect::<Vec<_>>(), expected);
    }
}

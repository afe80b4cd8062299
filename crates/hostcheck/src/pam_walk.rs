//! What comes of a PAM stack: libpam's dispatch, one line at a time, over return codes that somebody supposes. Pure, and held
//! to real libpam by the tests.

use std::collections::HashSet;

use crate::pam_stack::{Action, Line, LineKind, ReturnCode};

/// Where the walk stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The line that runs next.
    at: usize,
    /// The level of the line before.
    level: usize,
    impression: Impression,
    status: ReturnCode,
    /// What each substack began with, from the outermost on.
    began: Vec<(Impression, ReturnCode)>,
}

/// What libpam makes of the lines so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Impression {
    Undefined,
    Positive,
    Negative,
}

/// What libpam returns where nothing succeeded.
const MUST_FAIL: ReturnCode = ReturnCode::PERM_DENIED;

impl Position {
    /// Before the first line.
    #[must_use]
    pub fn start() -> Self {
        let (impression, status) = (Impression::Undefined, MUST_FAIL);
        Self { at: 0, level: 0, impression, status, began: vec![(impression, status)] }
    }

    /// The number of the line that runs next; `None` at the end.
    #[must_use]
    pub fn next(&self, stack: &[&Line]) -> Option<usize> {
        (self.at < stack.len()).then_some(self.at)
    }

    /// How many lines are behind it, run or passed over.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What the application is told, once all is over.
    #[must_use]
    pub fn end(&self) -> ReturnCode {
        let unfounded = self.status == ReturnCode::SUCCESS && self.impression != Impression::Positive;
        if unfounded { MUST_FAIL } else { self.status }
    }

    /// After the next line, whose module returned `returned`.
    #[must_use]
    pub fn after(&self, stack: &[&Line], returned: ReturnCode) -> Self {
        let Some(line) = stack.get(self.at) else {
            return self.clone();
        };
        let mut next = self.clone();
        next.level = line.level;
        if self.level < line.level {
            next.began.resize(line.level, (Impression::Undefined, MUST_FAIL));
            next.began.push((self.impression, self.status));
        }
        next.at = self.at.saturating_add(1);
        let code = match line.kind {
            LineKind::Module { .. } => returned,
            LineKind::Broken => MUST_FAIL,
            LineKind::Substack(_) => return next,
        };
        next.act(stack, line, code);
        next
    }

    fn act(&mut self, stack: &[&Line], line: &Line, code: ReturnCode) {
        match line.action(code) {
            Action::Ignore => {}
            Action::Ok => self.record_result(code),
            Action::Done => {
                self.record_result(code);
                if self.impression == Impression::Positive {
                    self.leave(stack, line.level);
                }
            }
            Action::Bad => self.spoil(code),
            Action::Die => {
                self.spoil(code);
                self.leave(stack, line.level);
            }
            Action::Reset => {
                let began = self.began.get(line.level).copied();
                (self.impression, self.status) = began.unwrap_or((Impression::Undefined, MUST_FAIL));
            }
            Action::Jump(lines) => self.jump(stack, line.level, lines),
        }
    }

    fn record_result(&mut self, code: ReturnCode) {
        let open = self.impression == Impression::Undefined
            || (self.impression == Impression::Positive && self.status == ReturnCode::SUCCESS);
        if open {
            (self.impression, self.status) = (Impression::Positive, code);
        }
    }

    fn spoil(&mut self, code: ReturnCode) {
        if self.impression != Impression::Negative {
            self.impression = Impression::Negative;
            self.status = if code == ReturnCode::IGNORE { MUST_FAIL } else { code };
        }
    }

    /// To the end of the substack, or of all.
    fn leave(&mut self, stack: &[&Line], level: usize) {
        while stack.get(self.at).is_some_and(|line| line.level >= level) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Past so many lines of the same level; a substack is one. Past the end of the level, libpam refuses.
    fn jump(&mut self, stack: &[&Line], level: usize, lines: usize) {
        for _ in 0..lines {
            if stack.get(self.at).is_none_or(|line| line.level < level) {
                (self.impression, self.status) = (Impression::Negative, MUST_FAIL);
                return;
            }
            self.at = self.at.saturating_add(1);
            while stack.get(self.at).is_some_and(|line| line.level > level) {
                self.at = self.at.saturating_add(1);
            }
        }
    }
}

/// Every end that can be reached where a line may return any of what `returns` says. What happened on the way is gathered in
/// a `Note` by `noted`, from the line, its code and where the walk went.
pub fn ends<Note: Clone + Eq + std::hash::Hash>(
    stack: &[&Line],
    start: Note,
    returns: impl Fn(&Line) -> Vec<ReturnCode>,
    noted: impl Fn(&Note, usize, ReturnCode, &Position) -> Note,
) -> Vec<(Note, ReturnCode)> {
    let mut known = HashSet::new();
    let mut open = vec![(Position::start(), start)];
    let mut ended = Vec::new();
    while let Some((position, note)) = open.pop() {
        let Some((at, line)) = position.next(stack).and_then(|at| Some((at, *stack.get(at)?))) else {
            ended.push((note, position.end()));
            continue;
        };
        let codes = if matches!(line.kind, LineKind::Module { .. }) { returns(line) } else { vec![MUST_FAIL] };
        for code in codes {
            let after = position.after(stack, code);
            let note = noted(&note, at, code, &after);
            if known.insert((after.clone(), note.clone())) {
                open.push((after, note));
            }
        }
    }
    ended
}

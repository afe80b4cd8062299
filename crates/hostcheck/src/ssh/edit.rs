//! A text file and what is changed in it, line by line: the new text, and the difference as `diff -u` shows it.

use std::fmt::Write as _;

/// One line, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DiffLine {
    Kept(String),
    Removed(String),
    Added(String),
}

/// A file as it was, with what is changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Edit(pub(super) Vec<DiffLine>);

/// Unchanged lines shown around changed ones.
const CONTEXT: usize = 3;

impl Edit {
    /// A whole text in the place of another, or of none.
    pub(super) fn replaced(old: Option<&str>, new: &str) -> Self {
        if old == Some(new) {
            return Self(new.lines().map(|line| DiffLine::Kept(line.to_owned())).collect());
        }
        let removed = old.into_iter().flat_map(str::lines).map(|line| DiffLine::Removed(line.to_owned()));
        Self(removed.chain(new.lines().map(|line| DiffLine::Added(line.to_owned()))).collect())
    }

    /// The text after the change.
    pub(super) fn new_text(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            if let DiffLine::Kept(line) | DiffLine::Added(line) = line {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// What `diff -u` shows; empty if nothing is changed.
    pub(super) fn diff(&self, old_name: &str, new_name: &str) -> String {
        let mut text = String::new();
        let (mut old_at, mut new_at) = (0usize, 0usize);
        let mut hunk = Hunk::default();
        for (index, line) in self.0.iter().enumerate() {
            if self.is_near_a_change(index) {
                hunk.add_line(line, old_at, new_at);
            } else {
                hunk.end_into(&mut text);
            }
            old_at = old_at.saturating_add(usize::from(!matches!(line, DiffLine::Added(_))));
            new_at = new_at.saturating_add(usize::from(!matches!(line, DiffLine::Removed(_))));
        }
        hunk.end_into(&mut text);
        if text.is_empty() { text } else { format!("--- {old_name}\n+++ {new_name}\n{text}") }
    }

    fn is_near_a_change(&self, index: usize) -> bool {
        let near = self.0.iter().skip(index.saturating_sub(CONTEXT));
        let reach = index.min(CONTEXT).saturating_add(CONTEXT).saturating_add(1);
        near.take(reach).any(|line| !matches!(line, DiffLine::Kept(_)))
    }
}

/// Lines that are shown together.
#[derive(Default)]
struct Hunk {
    /// Where it begins in either file, from 0.
    begin: Option<(usize, usize)>,
    old: usize,
    new: usize,
    text: String,
}

impl Hunk {
    fn add_line(&mut self, line: &DiffLine, old_at: usize, new_at: usize) {
        self.begin.get_or_insert((old_at, new_at));
        let (sign, line) = match line {
            DiffLine::Kept(line) => (' ', line),
            DiffLine::Removed(line) => ('-', line),
            DiffLine::Added(line) => ('+', line),
        };
        self.old = self.old.saturating_add(usize::from(sign != '+'));
        self.new = self.new.saturating_add(usize::from(sign != '-'));
        self.text.push(sign);
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn end_into(&mut self, out: &mut String) {
        let Self { begin: Some((old_at, new_at)), old, new, text } = std::mem::take(self) else {
            return;
        };
        // A side without lines is counted from the line before.
        let from = |at: usize, lines: usize| if lines == 0 { at } else { at.saturating_add(1) };
        // Writing to a String cannot fail.
        let _ = write!(out, "@@ -{},{old} +{},{new} @@\n{text}", from(old_at, old), from(new_at, new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_as_diff_does() {
        let kept = |n: u8| DiffLine::Kept(n.to_string());
        let mut lines: Vec<_> = (1..=12).map(kept).collect();
        lines.insert(2, DiffLine::Added("new".into()));
        lines[12] = DiffLine::Removed("12".into());
        let edit = Edit(lines);
        assert_eq!(edit.new_text(), "1\n2\nnew\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
        assert_eq!(
            edit.diff("a", "b"),
            "--- a\n+++ b\n@@ -1,5 +1,6 @@\n 1\n 2\n+new\n 3\n 4\n 5\n@@ -9,4 +10,3 @@\n 9\n 10\n 11\n-12\n"
        );
    }

    #[test]
    fn a_new_file_is_all_added_and_an_equal_one_no_difference() {
        assert_eq!(
            Edit::replaced(None, "a\nb\n").diff("/dev/null", "f"),
            "--- /dev/null\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n"
        );
        assert_eq!(Edit::replaced(Some("a\n"), "a\n").diff("f", "f"), "");
        assert_eq!(Edit::replaced(Some("a\n"), "b\n").new_text(), "b\n");
    }
}

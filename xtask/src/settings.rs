//! twinlock.toml(5): the comments of the shipped configuration, which is the one definition.

use crate::page::{Page, word, word_and_value};

const SHIPPED: &str = include_str!("../../config/config.toml");

/// One piece of the shipped file.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// Comments, and the setting that follows them: its key and its default.
    Setting { about: Vec<&'a str>, key: &'a str, default: &'a str },
    /// A table, with the comments that stand before it.
    Table { about: Vec<&'a str>, name: &'a str },
    /// Comments on their own.
    Remark(Vec<&'a str>),
}

pub(crate) fn page() -> String {
    let mut page = Page::new("twinlock.toml", "5", "configuration of the second factor for logins");
    page.heading("SYNOPSIS");
    page.paragraph("`/etc/twinlock/config.toml`");
    page.heading("DESCRIPTION");
    page.paragraph(
        "The configuration of pam_twinlock(8), twinlock(1) and twinlockd(8), in TOML. The file that is installed says the same as this \
         page and shows every setting with its default.",
    );
    let mut headed = false;
    for piece in pieces(SHIPPED) {
        match piece {
            Piece::Remark(about) if about.iter().any(|line| is_typed(line)) => rules(&mut page, &about),
            Piece::Remark(about) => remarks(&mut page, &about),
            Piece::Table { about, name } => {
                page.heading(&format!("{name} SETTINGS"));
                headed = true;
                remarks(&mut page, &about);
            }
            Piece::Setting { about, key, default } => {
                if !headed {
                    page.heading("SETTINGS");
                    headed = true;
                }
                setting(&mut page, &about, key, default);
            }
        }
    }
    page.heading("FILES");
    page.item(
        word("/etc/twinlock/config.toml"),
        "Where it is read, unless `config=` or `--config` names another file.",
    );
    page.heading("EXAMPLES");
    page.example(
        "While users enrol one after the other, those who have not are let in on the first factor alone:",
        "second_factor = \"optional\"",
    );
    page.example(
        "A prompt that says which app, and a host name that the app shows beside the user:",
        "prompt = \"Code from the authenticator app: \"\nissuer = \"ops.example.org\"",
    );
    page.example(
        "Robots come with a key from the build hosts, everybody else enrols by the end of January:",
        "[[rule]]\ngroups = [\"robots\"]\nfrom = [\"10.0.5.0/24\"]\nsecond_factor = \"skip\"\n\n\
         [[rule]]\nuntil = 2027-01-31\nsecond_factor = \"enroll\"",
    );
    page.example(
        "Accounts without passwords; users may look after phones, and only root takes a second factor away:",
        "[self_service]\nfirst_enrollment = \"session\"\nallow = [\"enroll\", \"replace\", \"recovery\", \"device\"]",
    );
    page.example("A stricter throttle:", "[throttle]\nfree_failures = 2\nspacing = \"30s\"\ndisable_after = 50");
    page.example("After each change, before logging out:", "twinlock check");
    page.see_also(&["twinlock(1)", "pam_twinlock(8)", "twinlockd(8)"]);
    page.finish()
}

/// The rules, which are an array of tables and have no defaults: what they are, how they are typed, and each key.
fn rules(page: &mut Page, about: &[&str]) {
    page.heading("RULES");
    let first = about.iter().position(|line| is_typed(line)).unwrap_or(about.len());
    let behind = about.iter().rposition(|line| is_typed(line)).map_or(first, |last| last.saturating_add(1));
    let (words, rest) = about.split_at_checked(first).unwrap_or((about, &[]));
    let (typed, keys) = rest.split_at_checked(behind.saturating_sub(first)).unwrap_or((rest, &[]));
    remarks(page, words);
    let typed: Vec<_> = typed.iter().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    page.typed(&typed.join("\n"));
    for key in keys.chunk_by(|_, next| next.starts_with(' ')) {
        let Some((name, text)) = key.first().and_then(|line| line.split_once(' ')) else { continue };
        let text = [text].into_iter().chain(key.iter().skip(1).copied()).map(str::trim).collect::<Vec<_>>().join(" ");
        page.item(word(name), &text);
    }
}

/// What stands there as one would type it.
fn is_typed(line: &str) -> bool {
    line.starts_with("    ") && !line.starts_with("     ")
}

fn setting(page: &mut Page, about: &[&str], key: &str, default: &str) {
    let mut paragraphs = paragraphs(about).into_iter().peekable();
    page.item(word_and_value(key, " = ", default), &paragraphs.next().unwrap_or_default().1);
    if paragraphs.peek().is_some() {
        page.inner(|page| {
            for paragraph in paragraphs {
                write(page, paragraph);
            }
        });
    }
}

fn remarks(page: &mut Page, about: &[&str]) {
    for paragraph in paragraphs(about) {
        write(page, paragraph);
    }
}

fn write(page: &mut Page, (term, text): (Option<&str>, String)) {
    match term {
        Some(term) => page.item(word(term), &text),
        None => page.paragraph(&text),
    }
}

/// Comment lines as paragraphs. One that begins indented and quoted is an item: its term, and what is said of it.
fn paragraphs<'a>(lines: &[&'a str]) -> Vec<(Option<&'a str>, String)> {
    let mut all: Vec<(Option<&str>, String)> = Vec::new();
    for line in lines {
        let indented = line.strip_prefix("  ").map(str::trim_start);
        let term = indented.filter(|item| item.starts_with('"')).and_then(|item| item.split_once("  "));
        match (term, indented, all.last_mut()) {
            (Some((term, text)), ..) => all.push((Some(term), text.trim_start().to_owned())),
            (None, None, Some((None, text))) if !line.is_empty() && !text.is_empty() => {
                *text = format!("{text} {line}");
            }
            (None, Some(rest), Some((Some(_), text))) => *text = format!("{text} {rest}"),
            (None, indented, _) => all.push((None, indented.unwrap_or(line).to_owned())),
        }
    }
    all.retain(|(_, text)| !text.is_empty());
    all
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let mut about = Vec::new();
    for line in text.lines() {
        let setting = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if let Some((key, default)) = setting.and_then(|setting| setting.split_once(" = ")) {
            all.push(Piece::Setting { about: std::mem::take(&mut about), key, default });
        } else if line.starts_with('[') {
            all.push(Piece::Table { about: std::mem::take(&mut about), name: line });
        } else if let Some(comment) = line.strip_prefix('#') {
            about.push(comment.strip_prefix(' ').unwrap_or(comment));
        } else if !about.is_empty() {
            all.push(Piece::Remark(std::mem::take(&mut about)));
        }
    }
    if !about.is_empty() {
        all.push(Piece::Remark(about));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_taken_apart_whole() {
        let pieces = pieces(SHIPPED);
        let commented = SHIPPED.lines().filter(|line| line.starts_with('#')).count();
        let taken = pieces.iter().map(|piece| match piece {
            Piece::Setting { about, .. } => about.len() + 1,
            Piece::Table { about, .. } | Piece::Remark(about) => about.len(),
        });
        assert_eq!(taken.sum::<usize>(), commented);
        assert!(pieces.iter().all(|piece| !matches!(piece, Piece::Setting { about, .. } if about.is_empty())));
    }

    #[test]
    fn quoted_and_indented_lines_are_items_and_others_run_on() {
        let lines =
            ["Who.", "More.", "  \"a\"  One.", "       Still one.", "  \"b c\"  Two.", "The rest.", "", "Apart."];
        let all = paragraphs(&lines);
        let wanted = [
            (None, "Who. More."),
            (Some("\"a\""), "One. Still one."),
            (Some("\"b c\""), "Two."),
            (None, "The rest."),
            (None, "Apart."),
        ];
        assert_eq!(all, wanted.map(|(term, text)| (term, text.to_owned())));
    }
}

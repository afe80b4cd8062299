//! The settings as Markdown, from the comments of the shipped configuration, which are their one description.

const SHIPPED: &str = include_str!("../../config/config.toml");

/// Every setting with its default, each table under its heading, and the rules.
pub(crate) fn describe() -> String {
    let mut page = String::from("## SETTINGS\n");
    let mut about = String::new();
    // The page has an introduction of its own.
    for line in SHIPPED.lines().skip_while(|line| !line.is_empty()) {
        let setting = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if let Some(setting) = setting {
            page += &format!("\n`{setting}`\n: {}\n", about.trim().replace('\n', "\n  "));
            about.clear();
        } else if line.starts_with('[') {
            page += &format!("\n## {line} SETTINGS\n{about}");
            about.clear();
        } else if let Some(title) = line.strip_prefix("# Rules: ") {
            page += "\n## RULES\n";
            about = format!("\n{}\n", capitalized(title));
        } else {
            add_comment(&mut about, line.strip_prefix('#').unwrap_or(line));
        }
    }
    page + &about
}

/// Adds a line of a comment. One that begins with a word and two spaces or more is an item: a value or a key, and what it
/// means. The lines below it that are indented go on with it. Four spaces alone are an example, as in Markdown.
fn add_comment(about: &mut String, line: &str) {
    let line = line.strip_prefix(' ').unwrap_or(line);
    let text = line.trim_start();
    let indent = line.len().saturating_sub(text.len());
    let is_in_item = about.lines().next_back().is_some_and(|last| last.starts_with([':', ' ']));
    match (text.split_once("  ").filter(|(term, _)| !term.contains([' ', '.']) && indent < 4), indent) {
        (Some((term, meaning)), _) => *about += &format!("\n`{term}`\n: {}\n", meaning.trim_start()),
        (None, 0) if is_in_item && !text.is_empty() => *about += &format!("\n{text}\n"),
        (None, 0 | 4) => *about += &format!("{line}\n"),
        (None, _) => *about += &format!("  {text}\n"),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_shipped_file_but_its_introduction_is_described() {
        let reference = describe().split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, rest) = SHIPPED.split_once("\n\n").unwrap_or_default();
        for line in rest.lines() {
            let line = line.strip_prefix("# Rules: ").map_or_else(|| line.to_owned(), capitalized);
            for part in line.trim_start_matches('#').trim().split("  ").map(str::trim) {
                assert!(reference.contains(part), "{part:?} of {line:?}");
            }
        }
    }

    #[test]
    fn words_before_a_gap_are_items_and_indented_lines_go_on_with_them() {
        let mut about = String::new();
        for line in
            [" Who.", " - a  b", "   \"a\"  One.", "        Still one.", " All.", " key    Two.", "", "     [[rule]]"]
        {
            add_comment(&mut about, line);
        }
        let items = "\n`\"a\"`\n: One.\n  Still one.\n\nAll.\n\n`key`\n: Two.\n";
        assert_eq!(about, format!("Who.\n- a  b\n{items}\n    [[rule]]\n"));
    }
}

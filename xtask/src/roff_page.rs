//! From Markdown to roff: the headings, paragraphs, definition lists, bullets and examples of a manual page.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, italic, roman};

/// The changelog that also dates the packages: the date of a page is that of the release and not of the build.
const CHANGELOG: &str = include_str!("../../packaging/debian/changelog");
/// The longest line of text, in bytes. `mandoc` reports lines of more than 80.
const WIDTH: usize = 78;

/// The page of that file name, such as `twinlock.toml.5`. The heading of the first level is for readers of the Markdown.
pub(crate) fn convert(name: &str, markdown: &str) -> Result<String, String> {
    let (title, section) = name.rsplit_once('.').ok_or("the name has no section")?;
    let mut page = PageWriter::default();
    let source = concat!("Twinlock ", env!("CARGO_PKG_VERSION"));
    page.roff.control("TH", [&title.to_uppercase(), section, &find_release_date()?, source, "Twinlock"]);
    // Words are not hyphenated and lines not stretched: much of the text is to be typed.
    page.roff.control("nh", []).control("ad", ["l"]);
    for event in Parser::new_ext(markdown, Options::ENABLE_DEFINITION_LIST) {
        page.write(event)?;
    }
    Ok(fold_lines(&page.roff.render()))
}

/// A page being written.
#[derive(Default)]
struct PageWriter {
    roff: Roff,
    /// The line of text that is not written yet.
    line: Vec<Inline>,
    typeface: Typeface,
    /// The lines of the example that is being read.
    example: Option<String>,
    /// A paragraph follows a heading or a term without a macro of its own.
    is_begun: bool,
    /// How many definitions and bullets are around this place.
    depth: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Typeface {
    #[default]
    Roman,
    Bold,
    Italic,
}

impl PageWriter {
    #[allow(clippy::wildcard_enum_match_arm, reason = "what is not listed is an error, whatever else Markdown gets")]
    fn write(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::DefinitionListDefinition) => {}
            Event::End(TagEnd::Heading(level)) => self.heading(level),
            Event::Start(Tag::Paragraph) => self.paragraph(),
            Event::Start(Tag::DefinitionList | Tag::List(None)) => self.indent("RS", &[]),
            Event::End(TagEnd::DefinitionList | TagEnd::List(_)) => self.indent("RE", &[]),
            Event::Start(Tag::DefinitionListTitle) => {
                self.roff.control("TP", []);
            }
            Event::Start(Tag::Item) => {
                self.roff.control("IP", [r"\(bu", "2"]);
                self.begin_item();
            }
            Event::End(TagEnd::DefinitionListTitle) => {
                self.end_line();
                self.begin_item();
            }
            Event::End(TagEnd::DefinitionListDefinition | TagEnd::Item) => {
                self.end_line();
                self.depth = self.depth.saturating_sub(1);
            }
            Event::End(TagEnd::Paragraph) => self.end_line(),
            Event::Start(Tag::CodeBlock(_)) => {
                self.end_line();
                self.example = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => self.end_example(),
            Event::Start(Tag::Strong) => self.typeface = Typeface::Bold,
            Event::Start(Tag::Emphasis) => self.typeface = Typeface::Italic,
            Event::End(TagEnd::Strong | TagEnd::Emphasis) => self.typeface = Typeface::Roman,
            Event::Code(text) => self.line.push(bold(&*text)),
            Event::Text(text) | Event::InlineHtml(text) => self.text(&text),
            Event::SoftBreak => self.line.push(roman(" ")),
            other => return Err(format!("a manual page does not have this kind of Markdown: {other:?}")),
        }
        Ok(())
    }

    fn heading(&mut self, level: HeadingLevel) {
        let words = std::mem::take(&mut self.line).into_iter().map(|inline| match inline {
            Inline::Roman(text) | Inline::Bold(text) | Inline::Italic(text) => text,
            Inline::LineBreak => " ".to_owned(),
        });
        let words: String = words.collect();
        match level {
            HeadingLevel::H1 => return,
            HeadingLevel::H2 => self.roff.control("SH", [words.as_str()]),
            HeadingLevel::H3 | HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => {
                self.roff.control("SS", [words.as_str()])
            }
        };
        self.is_begun = true;
    }

    /// Begins a paragraph, below a term as a part of its definition.
    fn paragraph(&mut self) {
        if !std::mem::take(&mut self.is_begun) {
            self.roff.control(if self.depth == 0 { "PP" } else { "IP" }, []);
        }
    }

    fn begin_item(&mut self) {
        self.is_begun = true;
        self.depth = self.depth.saturating_add(1);
    }

    /// Begins or ends a list within a definition.
    fn indent(&mut self, macro_name: &str, arguments: &[&str]) {
        self.end_line();
        self.is_begun = false;
        if self.depth > 0 {
            self.roff.control(macro_name, arguments.iter().copied());
        }
    }

    fn text(&mut self, text: &str) {
        match (&mut self.example, self.typeface) {
            (Some(example), _) => example.push_str(text),
            (None, Typeface::Roman) => self.line.push(roman(text)),
            (None, Typeface::Bold) => self.line.push(bold(text)),
            (None, Typeface::Italic) => self.line.push(italic(text)),
        }
    }

    fn end_example(&mut self) {
        self.paragraph();
        self.roff.control("RS", ["4"]).control("nf", []);
        for line in self.example.take().unwrap_or_default().lines() {
            // An empty line of the source would be a paragraph.
            self.roff.text([roman(if line.is_empty() { " " } else { line })]);
        }
        self.roff.control("fi", []).control("RE", []);
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.roff.text(std::mem::take(&mut self.line));
        }
    }
}

/// The text with its long lines folded, but for examples and terms.
fn fold_lines(roff: &str) -> String {
    let mut page = String::with_capacity(roff.len());
    let (mut is_filled, mut is_term) = (true, false);
    for line in roff.lines() {
        if line == ".nf" || line == ".fi" {
            is_filled = line == ".fi";
        }
        let mut column = 0_usize;
        for (at, word) in line.split(' ').enumerate() {
            let is_full = column.saturating_add(word.len()) >= WIDTH;
            if at > 0 && is_full && is_filled && !is_term && !line.starts_with('.') {
                page.push('\n');
                // Not a request of roff.
                page.push_str(if word.starts_with(['.', '\'']) { r"\&" } else { "" });
                column = 0;
            } else if at > 0 {
                page.push(' ');
                column = column.saturating_add(1);
            }
            page.push_str(word);
            column = column.saturating_add(word.len());
        }
        page.push('\n');
        is_term = line == ".TP";
    }
    page
}

/// The day of the last release, as 2026-11-24.
fn find_release_date() -> Result<String, String> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    // " -- NAME <ADDRESS>  Tue, 24 Nov 2026 12:00:00 +0000"
    let line = CHANGELOG.lines().find_map(|line| line.strip_prefix(" -- ")?.split_once(", "));
    let mut words = line.map(|(_, date)| date.split(' ')).ok_or("the changelog has no date")?;
    let (Some(day), Some(month), Some(year)) = (words.next(), words.next(), words.next()) else {
        return Err("the date of the changelog is not complete".to_owned());
    };
    let number = MONTHS.find(month).ok_or("the changelog has no month")?.div_euclid(3).saturating_add(1);
    Ok(format!("{year}-{number:02}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(markdown: &str) -> String {
        let page = convert("x.1", markdown).unwrap_or_default();
        page.split_once(".ad l\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    #[test]
    fn headings_paragraphs_and_styles_are_written() {
        let written = body("# x(1)\n\n## NAME\n\nx - a *b* of **c** and `d-e`\n\nMore.\n\n### A [B]\n\n.Text\n");
        let wanted =
            ".SH NAME\nx \\- a \\fIb\\fR of \\fBc\\fR and \\fBd\\-e\\fR\n.PP\nMore.\n.SS \"A [B]\"\n\\&.Text\n";
        assert_eq!(written, wanted);
    }

    #[test]
    fn a_definition_holds_paragraphs_and_other_definitions() {
        let written = body("`a`\n: One.\n\n  Two.\n\n  `b`\n  : Three.\n\n`c`\n: - Four.\n  - Five.\n\nSix.\n");
        let wanted = ".TP\n\\fBa\\fR\nOne.\n.IP\nTwo.\n.RS\n.TP\n\\fBb\\fR\nThree.\n.RE\n.TP\n\\fBc\\fR\n.RS\n\
                      .IP \\(bu 2\nFour.\n.IP \\(bu 2\nFive.\n.RE\n.PP\nSix.\n";
        assert_eq!(written, wanted);
    }

    #[test]
    fn examples_stay_as_they_are_and_long_lines_are_folded() {
        let long = "word ".repeat(30);
        let written = body(&format!("{long}\n\n    {long}\n"));
        let (text, example) = written.split_once(".nf").unwrap_or_default();
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(example.contains(long.trim()), "{example}");
    }

    #[test]
    fn what_no_page_has_is_an_error_and_not_left_out() {
        assert!(convert("x.1", "![picture](a.png)").is_err());
        assert!(convert("x.1", "1. One\n2. Two").is_err());
    }
}

//! A manual page: headings, paragraphs, items and examples, written in roff.

use roff::{Inline, Roff, bold, italic, roman};

/// A page being written.
pub(crate) struct Page {
    roff: Roff,
    /// A heading begins a paragraph by itself.
    under_heading: bool,
}

impl Page {
    /// A page of that name and section; `about` is what apropos(1) finds.
    pub(crate) fn new(name: &str, section: &str, about: &str) -> Self {
        let mut page = Self { roff: Roff::new(), under_heading: false };
        let source = concat!("Twinlock ", env!("CARGO_PKG_VERSION"));
        // No date: it would be that of the build. An empty word has to be quoted.
        page.roff.control("TH", [name, section, "\"\"", source, "Twinlock"]);
        // Words are not torn apart and lines not stretched: much of the text is to be typed.
        page.roff.control("nh", []).control("ad", ["l"]);
        page.heading("NAME");
        page.roff.text([roman(format!("{name} - {about}"))]);
        page
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.roff.control("SH", [text]);
        self.under_heading = true;
    }

    pub(crate) fn subheading(&mut self, text: &str) {
        self.roff.control("SS", [text]);
        self.under_heading = true;
    }

    /// Text in which backticks make words bold.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.begin_paragraph();
        self.roff.text(prose(text));
    }

    fn begin_paragraph(&mut self) {
        if !std::mem::take(&mut self.under_heading) {
            self.roff.control("PP", []);
        }
    }

    /// A term and what is said of it.
    pub(crate) fn item(&mut self, term: Vec<Inline>, text: &str) {
        self.under_heading = false;
        self.roff.control("TP", []).text(term).text(prose(text));
    }

    /// The next items belong to the one before.
    pub(crate) fn inner(&mut self, write: impl FnOnce(&mut Self)) {
        self.roff.control("RS", []);
        write(self);
        self.roff.control("RE", []);
    }

    /// What is done by an example, and the example as it is typed.
    pub(crate) fn example(&mut self, text: &str, typed: &str) {
        self.paragraph(text);
        self.typed(typed);
    }

    /// Lines as they stand.
    pub(crate) fn typed(&mut self, lines: &str) {
        self.begin_paragraph();
        self.roff.control("RS", ["4"]).control("nf", []);
        for line in lines.lines() {
            // An empty line of the source would be a paragraph.
            self.roff.text([roman(if line.is_empty() { " " } else { line })]);
        }
        self.roff.control("fi", []).control("RE", []);
    }

    /// Other pages, each as `name(section)`.
    pub(crate) fn see_also(&mut self, pages: &[&str]) {
        self.heading("SEE ALSO");
        let mut line = Vec::new();
        for page in pages {
            let (name, section) = page.split_once('(').unwrap_or((page, ""));
            line.push(roman(if line.is_empty() { "" } else { ", " }));
            line.extend([bold(name), roman(format!("({section}"))]);
        }
        self.roff.text(line);
    }

    pub(crate) fn finish(self) -> String {
        self.roff.render()
    }
}

/// Text between backticks in bold.
pub(crate) fn prose(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

/// A term of which nothing is replaced by who types it.
pub(crate) fn word(text: &str) -> Vec<Inline> {
    vec![bold(text)]
}

/// A word with its value: `name=VALUE`, `--name VALUE`.
pub(crate) fn word_and_value(name: &str, between: &str, value: &str) -> Vec<Inline> {
    vec![bold(format!("{name}{between}")), italic(value)]
}

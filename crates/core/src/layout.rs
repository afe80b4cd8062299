//! Texts as terminals show them: wrapped at words by the cells that characters take, and in ASCII for clients that show
//! nothing else.

use crate::text::is_hidden;

/// How many cells a line of a dialogue has at most: `plink` puts two in front of each line, and terminals have 80.
pub const WIDTH: usize = 76;

/// Ranges of characters that take two cells, in order: those of East Asian scripts, and pictures (Unicode Standard Annex
/// #11, W and F, but for rare ones).
const WIDE: &[(char, char)] = &[
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{303e}'),
    ('\u{3041}', '\u{33ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{a4cf}'),
    ('\u{a960}', '\u{a97c}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff01}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1faff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// Characters that begin no line (JIS X 4051), of those that texts for people have.
const NEVER_FIRST: &str = "、。，．：；？！」』）】ー…ゃゅょっぁぃぅぇぉャュョッァィゥェォ";

/// Characters that end no line.
const NEVER_LAST: &str = "「『（【";

fn is_wide(c: char) -> bool {
    let at = WIDE.partition_point(|(_, last)| *last < c);
    WIDE.get(at).is_some_and(|(first, _)| *first <= c)
}

/// How many cells of a terminal a text without control characters takes.
#[must_use]
pub fn cells(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

fn cells_of(c: char) -> usize {
    if is_hidden(c) || ('\u{300}'..='\u{36f}').contains(&c) {
        0
    } else {
        1usize.saturating_add(usize::from(is_wide(c)))
    }
}

/// Adds a text whose lines are broken so that none has more than [`WIDTH`] cells: at spaces, and between characters of
/// scripts that have none. What cannot be broken stays whole.
pub fn push_wrapped(out: &mut String, text: &str) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let (mut rest, mut column) = (line, 0usize);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at_checked(end_of_piece(rest)).unwrap_or((rest, ""));
            if column > 0 && column.saturating_add(cells(piece.trim_end())) > WIDTH {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                column = 0;
            }
            out.push_str(piece);
            column = column.saturating_add(cells(piece));
            rest = after;
        }
    }
}

/// A text of its own whose lines are broken so.
#[must_use]
pub fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(16));
    push_wrapped(&mut out, text);
    out
}

/// Where the first piece ends that is not broken: behind its spaces, or before or behind a wide character. A command between
/// backticks is one piece, to be copied.
fn end_of_piece(text: &str) -> usize {
    let pairs = text.char_indices().zip(text.chars().skip(1));
    let mut in_command = false;
    let mut ends = pairs.filter(|((_, c), next)| match (*c, *next) {
        ('`', _) => {
            in_command = !in_command;
            false
        }
        _ if in_command => false,
        (' ', next) => next != ' ',
        (_, ' ') => false,
        (c, next) => (is_wide(c) || is_wide(next)) && !NEVER_FIRST.contains(next) && !NEVER_LAST.contains(c),
    });
    ends.next().map_or(text.len(), |((at, c), _)| at.saturating_add(c.len_utf8()))
}

/// A text of a European language in ASCII, as it is written where there is nothing else; `None` if a character has no
/// such spelling.
#[must_use]
pub fn ascii(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let spelling = match c {
            'ä' | 'æ' => "ae",
            'ö' | 'œ' => "oe",
            'ü' => "ue",
            'Ä' | 'Æ' => "Ae",
            'Ö' | 'Œ' => "Oe",
            'Ü' => "Ue",
            'ß' => "ss",
            'á' | 'à' | 'â' | 'ã' | 'å' => "a",
            'Á' | 'À' | 'Â' | 'Ã' | 'Å' => "A",
            'ç' => "c",
            'Ç' => "C",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'É' | 'È' | 'Ê' | 'Ë' => "E",
            'í' | 'ì' | 'î' | 'ï' => "i",
            'Í' | 'Ì' | 'Î' | 'Ï' => "I",
            'ñ' => "n",
            'Ñ' => "N",
            'ó' | 'ò' | 'ô' | 'õ' | 'ø' => "o",
            'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ø' => "O",
            'ú' | 'ù' | 'û' => "u",
            'Ú' | 'Ù' | 'Û' => "U",
            '¿' | '¡' => "",
            '\u{a0}' | '\u{202f}' => " ",
            '‐' | '‑' | '–' | '—' => "-",
            '‘' | '’' => "'",
            '“' | '”' | '„' | '«' | '»' => "\"",
            '…' => "...",
            c if c.is_ascii() => {
                out.push(c);
                continue;
            }
            _ => return None,
        };
        out.push_str(spelling);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_words_and_between_wide_characters() {
        let words = "word ".repeat(40);
        for text in [words.as_str(), &"日本語の文、".repeat(20), &"コード 123456 を入力。".repeat(9)] {
            let wrapped = wrapped(text);
            assert!(wrapped.lines().count() > 1);
            for line in wrapped.lines() {
                assert!(cells(line) <= WIDTH && !line.starts_with(' '), "{line:?}");
                assert!(!line.starts_with(['、', '。']), "{line:?}");
                assert!(!line.contains("word") || line.split_whitespace().all(|word| word == "word"), "{line:?}");
            }
            let unbroken = |text: &str| text.replace(['\n', ' '], "");
            assert_eq!(unbroken(&wrapped), unbroken(text));
        }
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        for text in ["", "\n", "a\n\nb: ", "  key  (web01: alice)\n", &"x".repeat(200)] {
            assert_eq!(wrapped(text), text);
        }
        let command = format!("{} `twinlock recovery new`, or", "x".repeat(60));
        assert_eq!(wrapped(&command), command.replacen(' ', "\n", 1));
        let exact = format!("{} {}", "x".repeat(70), "y".repeat(5));
        assert_eq!(wrapped(&exact), exact);
        assert_eq!(
            wrapped(&format!("{exact}z")),
            format!("{} \n{}z", "x".repeat(70), "y".repeat(5)).replace(" \n", "\n")
        );
    }

    #[test]
    fn european_texts_have_a_spelling_in_ascii_and_others_none() {
        assert_eq!(ascii("Büro – ¿Qué? « ça »").as_deref(), Some("Buero - Que? \" ca \""));
        assert_eq!(ascii("コード"), None);
        assert_eq!(ascii("a\u{1b}"), Some("a\u{1b}".into()));
    }
}

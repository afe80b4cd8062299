//! Comma-separated values (RFC 4180), of which no cell is a formula: names and labels come from outside, and spreadsheet
//! programs run a cell that begins like a formula.

/// Headings and rows. Every cell is in quotes.
pub(crate) fn table<const N: usize>(headings: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = line(headings.iter().copied());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str)));
    }
    text
}

fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    cells.map(|cell| format!("\"{}\"", harmless(cell).replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\r\n"
}

/// The cell without anything that a spreadsheet program would run. A formula gets an apostrophe in front of it, which makes
/// it a text. Semicolons become commas, because in some locales they separate cells.
fn harmless(cell: &str) -> String {
    let seen = crate::output::sanitize_for_terminal(&cell.replace(['\n', ';'], ","));
    let begins_formula = |c: char| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c);
    if seen.trim_start().starts_with(begins_formula) { format!("'{seen}") } else { seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_its_line() {
        for (cell, written) in [
            ("phone", "phone"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\t=1", "?=1"),
            ("a;=1", "a,=1"),
            ("a\r\n=1", "a?,=1"),
            ("\u{202e}=1", "?=1"),
            ("1-1", "1-1"),
        ] {
            assert_eq!(harmless(cell), written, "{cell:?}");
        }
    }

    #[test]
    fn cells_are_quoted_as_rfc_4180_has_it() {
        let rows = [["a,b".to_owned(), "say \"no\"".to_owned()]];
        assert_eq!(table(&["x", "y"], rows.into_iter()), "\"x\",\"y\"\r\n\"a,b\",\"say \"\"no\"\"\"\r\n");
    }
}

//! The picture that a phone scans, in characters. Two modules a character, or one in two where a terminal has no blocks.

use qrcode::{Color, EcLevel, QrCode, Version, bits::Bits};
use zeroize::Zeroizing;

/// How a picture may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// With black and white of the 256 colours, which no theme changes.
    BlackAndWhite,
    /// Without colours: light modules as blocks, right on dark terminals.
    Plain,
    /// The same with dark modules as blocks, right on light terminals.
    PlainInverse,
    /// In spaces of that black and white, for terminals without block elements.
    BlackAndWhiteSpaces,
    /// In plain characters without colours: dark modules as `##`, right on light terminals. Most fonts leave gaps in it,
    /// which not every reader forgives.
    Ascii,
    /// The same with light modules as `##`, right on dark terminals.
    AsciiInverse,
}

/// Draws a text as a QR code with `quiet` light modules around it; `None` if it is too long for one. The standard asks
/// for 4; phones read it with fewer, and it has to fit a terminal.
#[must_use]
pub fn draw(text: &str, palette: Palette, quiet: u8) -> Option<Zeroizing<String>> {
    let code = (1..=40).find_map(|version| encode(text, Version::Normal(version)))?;
    let width = i64::try_from(code.width()).ok()?;
    let modules = code.to_colors();
    let dark = |x: i64, y: i64| {
        let inside = (0..width).contains(&x) && (0..width).contains(&y);
        let at = y.checked_mul(width).and_then(|row| row.checked_add(x)).and_then(|at| usize::try_from(at).ok());
        inside && at.and_then(|at| modules.get(at)) == Some(&Color::Dark)
    };
    let (begin, end) = (i64::from(quiet).checked_neg()?, width.checked_add(i64::from(quiet))?);
    // Room for what an app is usually shown at once: the picture is the secret, and a growing one leaves copies, which the
    // allocator of the module wipes.
    let mut picture = Zeroizing::new(String::with_capacity(64 * 1024));
    let rows_a_line = match palette {
        Palette::BlackAndWhite | Palette::Plain | Palette::PlainInverse => 2,
        Palette::BlackAndWhiteSpaces | Palette::Ascii | Palette::AsciiInverse => 1,
    };
    let end_of_line = match palette {
        Palette::BlackAndWhite | Palette::BlackAndWhiteSpaces => "\x1b[0m\n",
        Palette::Plain | Palette::PlainInverse | Palette::Ascii | Palette::AsciiInverse => "\n",
    };
    for y in (begin..end).step_by(rows_a_line) {
        // Each line sets its colours anew: a terminal may have wrapped or cleared the one before.
        let mut background = None;
        for x in begin..end {
            // The row below the last one is outside and therefore light.
            let (upper, lower) = (dark(x, y), dark(x, y.checked_add(1)?));
            match palette {
                Palette::BlackAndWhite => push_half_blocks(&mut picture, &mut background, upper, lower),
                Palette::BlackAndWhiteSpaces => {
                    let colour = if upper { "\x1b[48;5;16m" } else { "\x1b[48;5;231m" };
                    picture.push_str(if background.replace(upper) == Some(upper) { "" } else { colour });
                    picture.push_str("  ");
                }
                Palette::Plain => picture.push_str(block(!upper, !lower)),
                Palette::PlainInverse => picture.push_str(block(upper, lower)),
                Palette::Ascii => picture.push_str(if upper { "##" } else { "  " }),
                Palette::AsciiInverse => picture.push_str(if upper { "  " } else { "##" }),
            }
        }
        picture.push_str(end_of_line);
    }
    Some(picture)
}

/// As bytes, whatever the text is: telling runs of capitals apart saves an address six bytes, and costs six thousand in
/// the module that every sshd loads.
fn encode(text: &str, version: Version) -> Option<QrCode> {
    let mut bits = Bits::new(version);
    bits.push_byte_data(text.as_bytes()).ok()?;
    bits.push_terminator(EcLevel::L).ok()?;
    QrCode::with_bits(bits, EcLevel::L).ok()
}

/// Adds a cell of two modules, and what sets both colours where the background (dark or not) is another one than before.
/// A cell of one colour is a space: a font whose blocks leave gaps would let the other colour shine through. Two that
/// differ are a half block, upper or lower, on either background.
fn push_half_blocks(picture: &mut String, background: &mut Option<bool>, upper: bool, lower: bool) {
    let wanted = if upper == lower { upper } else { background.unwrap_or(lower) };
    if background.replace(wanted) != Some(wanted) {
        picture.push_str(if wanted { "\x1b[38;5;231;48;5;16m" } else { "\x1b[38;5;16;48;5;231m" });
    }
    picture.push_str(block(upper != wanted, lower != wanted));
}

/// A character whose halves are in the colour of the text where they are set.
const fn block(upper: bool, lower: bool) -> &'static str {
    match (upper, lower) {
        (false, false) => " ",
        (false, true) => "▄",
        (true, false) => "▀",
        (true, true) => "█",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str =
        "otpauth://totp/web01.example.com:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web01.example.com";

    #[test]
    fn the_usual_uri_fits_a_terminal_of_80_by_24() {
        let picture = draw(USUAL, Palette::Plain, 2).unwrap();
        assert_eq!((picture.lines().count(), picture.lines().map(|line| line.chars().count()).max()), (21, Some(41)));
    }

    #[test]
    fn in_plain_characters_it_fits_80_columns() {
        let picture = draw(USUAL, Palette::Ascii, 1).unwrap();
        assert_eq!((picture.lines().count(), picture.lines().map(str::len).max()), (39, Some(78)));
        assert!(draw(USUAL, Palette::BlackAndWhiteSpaces, 1).unwrap().is_ascii());
    }

    /// The dark modules of a picture, row by row, as a terminal shows it; and how often its colours are set.
    fn shown(picture: &str, palette: Palette) -> (Vec<Vec<bool>>, usize) {
        let (mut rows, mut changes) = (Vec::new(), 0);
        for line in picture.lines() {
            let (mut upper, mut lower) = (Vec::new(), Vec::new());
            let (mut front, mut back) = (None, None);
            let mut rest = line.strip_suffix("\x1b[0m").unwrap();
            while let Some(character) = rest.chars().next() {
                if let Some(sequence) = rest.strip_prefix("\x1b[") {
                    let (colours, after) = sequence.split_once('m').unwrap();
                    for colour in colours.split_inclusive(";5;").collect::<String>().replace(";5;", "/").split(';') {
                        match colour {
                            "38/16" => front = Some(true),
                            "38/231" => front = Some(false),
                            "48/16" => back = Some(true),
                            "48/231" => back = Some(false),
                            other => panic!("{other}"),
                        }
                    }
                    changes += 1;
                    rest = after;
                    continue;
                }
                rest = rest.strip_prefix(character).unwrap();
                let (above, below) = match character {
                    ' ' => (back, back),
                    '▀' => (front, back),
                    '▄' => (back, front),
                    other => panic!("{other}"),
                };
                upper.push(above.unwrap());
                lower.push(below.unwrap());
            }
            if palette == Palette::BlackAndWhite {
                rows.extend([upper, lower]);
            } else {
                rows.push(upper.into_iter().step_by(2).collect());
            }
        }
        (rows, changes)
    }

    #[test]
    fn a_picture_in_colours_sets_them_where_they_change_and_shows_the_same_modules() {
        let plain = draw(USUAL, Palette::Ascii, 2).unwrap();
        let row = |line: &str| line.as_bytes().chunks(2).map(|module| module == b"##").collect::<Vec<_>>();
        let modules: Vec<_> = plain.lines().map(row).collect();
        for palette in [Palette::BlackAndWhite, Palette::BlackAndWhiteSpaces] {
            let picture = draw(USUAL, palette, 2).unwrap();
            let (mut rows, changes) = shown(&picture, palette);
            rows.truncate(modules.len());
            assert_eq!(rows, modules, "{palette:?}");
            let runs: usize = rows.iter().map(|row| row.chunk_by(|one, next| one == next).count()).sum();
            assert!(changes <= runs, "{palette:?}: {changes} changes of colour, {runs} runs of modules");
        }
        // Six seconds at 9600 baud.
        assert!(draw(USUAL, Palette::BlackAndWhite, 2).unwrap().len() < 6000);
    }

    #[test]
    fn too_long_is_said() {
        assert!(draw(&"x".repeat(10_000), Palette::Plain, 2).is_none());
    }
}

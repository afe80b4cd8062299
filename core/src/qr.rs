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
        for x in begin..end {
            // The row below the last one is outside and therefore light.
            picture.push_str(cell(palette, dark(x, y), dark(x, y.checked_add(1)?)));
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

const fn cell(palette: Palette, upper_dark: bool, lower_dark: bool) -> &'static str {
    match (palette, upper_dark, lower_dark) {
        (Palette::BlackAndWhite, true, true) => "\x1b[38;5;16;48;5;16m▀",
        (Palette::BlackAndWhite, true, false) => "\x1b[38;5;16;48;5;231m▀",
        (Palette::BlackAndWhite, false, true) => "\x1b[38;5;231;48;5;16m▀",
        (Palette::BlackAndWhite, false, false) => "\x1b[38;5;231;48;5;231m▀",
        (Palette::Plain, true, true) | (Palette::PlainInverse, false, false) => " ",
        (Palette::Plain, true, false) | (Palette::PlainInverse, false, true) => "▄",
        (Palette::Plain, false, true) | (Palette::PlainInverse, true, false) => "▀",
        (Palette::Plain, false, false) | (Palette::PlainInverse, true, true) => "█",
        (Palette::BlackAndWhiteSpaces, true, _) => "\x1b[48;5;16m  ",
        (Palette::BlackAndWhiteSpaces, false, _) => "\x1b[48;5;231m  ",
        (Palette::Ascii, true, _) | (Palette::AsciiInverse, false, _) => "##",
        (Palette::Ascii, false, _) | (Palette::AsciiInverse, true, _) => "  ",
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

    #[test]
    fn every_cell_says_both_its_colours() {
        let picture = draw("otpauth://totp/a:b?secret=GEZD", Palette::BlackAndWhite, 2).unwrap();
        for line in picture.lines() {
            assert_eq!(line.matches('▀').count(), line.matches("\x1b[38;5;").count());
            assert!(line.ends_with("\x1b[0m"));
        }
    }

    #[test]
    fn too_long_is_said() {
        assert!(draw(&"x".repeat(10_000), Palette::Plain, 2).is_none());
    }
}

//! The picture that a phone scans. Two modules a character, black and white said explicitly, so that it can be scanned
//! from dark terminals and light ones.

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Light modules around the picture. The standard asks for 4; with 2 it fits a terminal of 80x24 and phones still read it.
const QUIET: i64 = 2;

/// How a picture may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// With black and white of the 256 colours, which no theme changes.
    BlackAndWhite,
    /// Without colours: light modules as blocks, right on dark terminals.
    Plain,
    /// In plain characters, for terminals without block elements: dark modules as `##`, right on light terminals.
    Ascii,
}

/// Draws a text as a QR code; `None` if it is too long for one.
pub(crate) fn draw(text: &str, palette: Palette) -> Option<Zeroizing<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = i64::try_from(code.width()).ok()?;
    let modules = code.to_colors();
    let dark = |x: i64, y: i64| {
        let inside = (0..width).contains(&x) && (0..width).contains(&y);
        let at = y.checked_mul(width).and_then(|row| row.checked_add(x)).and_then(|at| usize::try_from(at).ok());
        inside && at.and_then(|at| modules.get(at)) == Some(&Color::Dark)
    };
    if palette == Palette::Ascii {
        return ascii(&dark, width);
    }
    // Room for all of it at once: the picture is the secret.
    let mut picture = Zeroizing::new(String::with_capacity(64 * 1024));
    let end = width.checked_add(QUIET)?;
    for y in (-QUIET..end).step_by(2) {
        for x in -QUIET..end {
            // The row below the last one is outside and therefore light.
            picture.push_str(cell(palette, dark(x, y), dark(x, y.checked_add(1)?)));
        }
        picture.push_str(match palette {
            Palette::BlackAndWhite => "\x1b[0m\n",
            Palette::Plain | Palette::Ascii => "\n",
        });
    }
    Some(picture)
}

fn ascii(dark: &dyn Fn(i64, i64) -> bool, width: i64) -> Option<Zeroizing<String>> {
    let end = width.checked_add(QUIET)?;
    let mut picture = Zeroizing::new(String::with_capacity(64 * 1024));
    for y in -QUIET..end {
        for x in -QUIET..end {
            picture.push_str(if dark(x, y) { "##" } else { "  " });
        }
        picture.push('\n');
    }
    Some(picture)
}

const fn cell(palette: Palette, upper_dark: bool, lower_dark: bool) -> &'static str {
    match (palette, upper_dark, lower_dark) {
        (Palette::BlackAndWhite, true, true) => "\x1b[38;5;16;48;5;16m▀",
        (Palette::BlackAndWhite, true, false) => "\x1b[38;5;16;48;5;231m▀",
        (Palette::BlackAndWhite, false, true) => "\x1b[38;5;231;48;5;16m▀",
        (Palette::BlackAndWhite, false, false) => "\x1b[38;5;231;48;5;231m▀",
        (Palette::Plain | Palette::Ascii, true, true) => " ",
        (Palette::Plain | Palette::Ascii, true, false) => "▄",
        (Palette::Plain | Palette::Ascii, false, true) => "▀",
        (Palette::Plain | Palette::Ascii, false, false) => "█",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_uri_fits_a_terminal_of_80_by_24() {
        let uri =
            "otpauth://totp/web01.example.com:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web01.example.com";
        let picture = draw(uri, Palette::Plain).unwrap();
        assert_eq!((picture.lines().count(), picture.lines().map(|line| line.chars().count()).max()), (21, Some(41)));
    }

    #[test]
    fn every_cell_says_both_its_colours() {
        let picture = draw("otpauth://totp/a:b?secret=GEZD", Palette::BlackAndWhite).unwrap();
        for line in picture.lines() {
            assert_eq!(line.matches('▀').count(), line.matches("\x1b[38;5;").count());
            assert!(line.ends_with("\x1b[0m"));
        }
    }

    #[test]
    fn too_long_is_said() {
        assert!(draw(&"x".repeat(10_000), Palette::Plain).is_none());
    }
}

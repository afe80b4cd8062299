//! The QR code as a phone sees it: read by zbar from the screen of a real terminal.

use twinlock_tests::{Authenticator, Background, PamCode, Screen, Terminal, World};

use crate::cli::alice::{login, with_account};

/// What `enroll` shows before its first question, with the picture drawn so and under this variable.
fn shown(world: &World, qr: &str, variable: &str) -> (Terminal, String) {
    let launch = world.twinlock_launch(&["enroll", "alice", "--issuer", "web01.example.com", "--qr", qr]);
    // Set behind the terminal's own TERM.
    let mut terminal = Terminal::start(launch.under(["env", variable]));
    let shown = terminal.expect("Enter the code that the app shows now: ");
    (terminal, shown)
}

/// The lines of the picture.
fn picture(shown: &str) -> Vec<&str> {
    let is_picture = |line: &&str| line.chars().any(|c| "▀▄█".contains(c));
    shown.lines().filter(is_picture).collect()
}

fn address(shown: &str) -> &str {
    shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap()
}

/// Enrolling on a screen, up to the first question: what is read from the picture, and what is written on the terminal.
fn read(world: &World, background: Background, size: &str, arguments: &[&str], variables: &[&str]) -> (String, String) {
    let launch = world.twinlock_launch(&[&["enroll", "alice", "--issuer", "web01.example.com"], arguments].concat());
    // Set behind the terminal's own TERM.
    let screen = Screen::start(world, launch.under(["env"].iter().chain(variables)), background, size);
    let shown = screen.expect("Enter the code that the app shows now: ");
    (screen.decode(|text| text.starts_with("otpauth:")), shown)
}

#[test]
fn a_phone_reads_the_address_from_the_screen_of_dark_and_of_light_terminals() {
    with_account(|world, _| {
        for background in [Background::Dark, Background::Light] {
            for (size, arguments) in [("80x24", &["--qr", "utf8"][..]), ("80x24", &[])] {
                let (read, shown) = read(world, background, size, arguments, &["TERM=xterm-256color"]);
                assert_eq!(read, address(&shown), "{background:?} {arguments:?}");
            }
        }
    });
}

/// Where the locale has no blocks, the picture is drawn in coloured spaces.
#[test]
fn without_utf_8_it_is_read_from_the_screen_of_dark_and_of_light_terminals() {
    for background in [Background::Dark, Background::Light] {
        with_account(|world, _| {
            // Twice as large: the picture alone has 39 lines, and it fills the 80 columns.
            let (read, shown) = read(world, background, "80x42", &[], &["TERM=xterm-256color", "LC_ALL=C"]);
            assert!(shown.is_ascii() && !shown.contains('#'), "{background:?}: {shown}");
            assert_eq!(read, address(&shown), "{background:?}");
        });
    }
}

#[test]
fn plain_characters_without_colours_are_read_from_the_screen_of_a_light_terminal() {
    with_account(|world, _| {
        let (read, shown) = read(world, Background::Light, "80x42", &["--qr", "ascii"], &["TERM=xterm-256color"]);
        assert!(shown.contains("####") && shown.is_ascii() && !shown.contains('\x1b'), "{shown}");
        assert_eq!(read, address(&shown));
    });
}

#[test]
fn the_scanned_secret_opens_a_login() {
    with_account(|world, _| {
        let launch = world.twinlock_launch(&["enroll", "alice", "--issuer", "web01.example.com"]);
        let screen = Screen::start(world, launch, Background::Dark, "80x24");
        let mut codes = Authenticator::from_uri(&screen.decode(|text| text.starts_with("otpauth:"))).codes();
        screen.type_line(&codes.next());
        let shown = screen.expect("Enter one of these codes to confirm that you saved them: ");
        let recovery =
            shown.split_whitespace().find(|word| word.len() == 19 && word.matches('-').count() == 3).unwrap();
        screen.type_line(recovery);
        screen.expect("Done: alice now has a second factor.");
        screen.finish();
        assert_eq!(login(world, &codes.next()), PamCode::Success);
    });
}

#[test]
fn without_colours_it_is_read_from_a_dark_terminal() {
    for variable in ["NO_COLOR=1", "TERM=dumb"] {
        with_account(|world, _| {
            let (read, shown) = read(world, Background::Dark, "80x24", &[], &[variable]);
            assert!(!shown.contains('\x1b'), "{variable}");
            assert_eq!(read, address(&shown));
        });
    }
}

/// `auto` asks the locale, `ascii` prints neither blocks nor colours, and `NO_COLOR` asks for no colours unless it is empty.
#[test]
fn locale_and_no_color_decide_how_the_picture_is_drawn() {
    for (variables, qr, coloured, blocks) in [
        (&["NO_COLOR=1"][..], "auto", false, true),
        (&["NO_COLOR=1"], "utf8", false, true),
        (&["NO_COLOR=1"], "ascii", false, false),
        (&["TERM=dumb"], "ascii", false, false),
        (&["NO_COLOR="], "auto", true, true),
        (&["NO_COLOR="], "utf8", true, true),
        (&["NO_COLOR="], "ascii", false, false),
        (&["LC_ALL=C"], "auto", true, false),
        (&["LC_ALL=C", "NO_COLOR=1"], "auto", false, false),
        (&["LC_ALL=C"], "utf8", true, true),
        (&["LANG=de_DE.ISO-8859-1"], "auto", true, false),
        (&["LANG=C", "LC_ALL=de_DE.UTF-8"], "auto", true, true),
        (&["LC_ALL=", "LANG=C.utf8"], "auto", true, true),
    ] {
        with_account(|world, _| {
            let launch = world.twinlock_launch(&["enroll", "alice", "--qr", qr]);
            let mut terminal = Terminal::start(launch.under(["env"].iter().chain(variables)));
            let shown = terminal.expect("Enter the code that the app shows now: ");
            let found = (shown.contains('\x1b'), shown.contains(";5;231m"), !shown.is_ascii());
            assert_eq!(found, (coloured, coloured, blocks), "{variables:?} {qr}");
        });
    }
}

#[test]
fn no_picture_is_spoken_of_where_none_is_drawn() {
    with_account(|world, _| {
        let (_terminal, shown) = shown(world, "none", "NO_COLOR=");
        assert!(shown.contains("Key  ") && !shown.contains("QR code") && !shown.contains('\x1b'), "{shown}");
    });
}

#[test]
fn picture_and_key_fit_a_terminal_of_80_by_24() {
    with_account(|world, _| {
        let (_terminal, shown) = shown(world, "auto", "NO_COLOR=1");
        let lines = picture(&shown);
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(lines.len() <= 24 && widest <= Some(80), "{} lines, {widest:?} columns", lines.len());
    });
}

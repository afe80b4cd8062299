//! The QR code as a phone sees it: the terminal's half blocks drawn as pixels, and read by zbar.

use std::io::{Write, stderr};
use std::path::Path;

use twinlock_tests::{Authenticator, Launch, PamCode, Terminal, World};

use crate::scene::{login, with_account};

/// Pixels of one module of the picture.
const SCALE: usize = 6;
/// Columns and rows of dark terminal around the picture.
const MARGIN: usize = 4;

/// What `enroll` shows before its first question, under these variables.
fn shown(world: &World, variables: &[(&str, &str)]) -> (Terminal, String) {
    let launch = world.twinlock_launch(&["enroll", "alice", "--issuer", "web01.example.com"]);
    // Set behind the terminal's own TERM.
    let env = variables.iter().map(|(name, value)| format!("{name}={value}"));
    let launch = launch.under(["env".to_owned()].into_iter().chain(env));
    let mut terminal = Terminal::start(launch);
    let shown = terminal.expect("The code that the app shows now: ");
    (terminal, shown)
}

/// The lines of the picture.
fn picture(shown: &str) -> Vec<&str> {
    let is_picture = |line: &&str| line.chars().any(|c| "▀▄█".contains(c));
    shown.lines().filter(is_picture).collect()
}

/// The upper and the lower pixel of every cell of a line, light or not, on a terminal that is dark where nothing is said.
fn cells(line: &str) -> Vec<(bool, bool)> {
    let (mut foreground, mut background) = (true, false);
    let mut cells = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        rest = rest.split_at(c.len_utf8()).1;
        if c == '\x1b' {
            let (codes, after) = rest.strip_prefix('[').and_then(|rest| rest.split_once('m')).unwrap();
            rest = after;
            match codes {
                "0" => (foreground, background) = (true, false),
                codes => {
                    let light = |number: &str| match number {
                        "16" => false,
                        "231" => true,
                        other => panic!("colour {other}: neither black nor white of the cube"),
                    };
                    let numbers: Vec<_> = codes.split(';').collect();
                    for triple in numbers.chunks(3) {
                        match triple {
                            ["38", "5", number] => foreground = light(number),
                            ["48", "5", number] => background = light(number),
                            other => panic!("{other:?}"),
                        }
                    }
                }
            }
            continue;
        }
        cells.push(match c {
            '▀' => (foreground, background),
            '▄' => (background, foreground),
            '█' => (foreground, foreground),
            ' ' => (background, background),
            other => panic!("{other:?} in the picture"),
        });
    }
    cells
}

/// The picture as a file for zbarimg, on a terminal that is dark or light around it.
fn draw(lines: &[&str], around: bool, inverted: bool, path: &str) {
    let rows: Vec<Vec<bool>> = lines
        .iter()
        .flat_map(|line| {
            let cells = cells(line);
            [cells.iter().map(|cell| cell.0).collect::<Vec<_>>(), cells.iter().map(|cell| cell.1).collect()]
        })
        .collect();
    let width = rows.iter().map(Vec::len).max().unwrap() + 2 * MARGIN;
    let height = rows.len() + 2 * MARGIN;
    let light = |x: usize, y: usize| {
        let inside = x.checked_sub(MARGIN).zip(y.checked_sub(MARGIN));
        inside.and_then(|(x, y)| rows.get(y)?.get(x).copied()).unwrap_or(around) != inverted
    };
    let mut image = format!("P5 {} {} 255\n", width * SCALE, height * SCALE).into_bytes();
    for y in 0..height * SCALE {
        image.extend((0..width * SCALE).map(|x| if light(x / SCALE, y / SCALE) { 255 } else { 0 }));
    }
    std::fs::write(path, image).unwrap();
}

/// What a reader reads; `None` on a machine without zbarimg.
fn read(world: &World, lines: &[&str], around: bool, inverted: bool) -> Option<String> {
    if !Path::new("/usr/bin/zbarimg").exists() {
        // Past the capture of the test runner, which hides what a passing test prints.
        drop(stderr().write_all(b"skipped: QR codes are not read: zbarimg is missing: run `make deps`\n"));
        return None;
    }
    world.take_from_host_etc("ImageMagick-6");
    draw(lines, around, inverted, "/tmp/picture.pgm");
    let output = Launch::new(["zbarimg", "--quiet", "--raw", "/tmp/picture.pgm"]).run();
    assert_eq!(output.code, Some(0), "no QR code was found: {output:?}");
    Some(output.stdout.trim_end().to_owned())
}

fn address(shown: &str) -> &str {
    shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap()
}

#[test]
fn a_phone_reads_the_address_from_dark_and_from_light_terminals() {
    with_account(|world, _| {
        let (_terminal, shown) = shown(world, &[("TERM", "xterm-256color")]);
        for around in [false, true] {
            if let Some(read) = read(world, &picture(&shown), around, false) {
                assert_eq!(read, address(&shown), "around: {around}");
            }
        }
    });
}

#[test]
fn the_scanned_secret_opens_a_login() {
    with_account(|world, _| {
        let (mut terminal, shown) = shown(world, &[]);
        let Some(read) = read(world, &picture(&shown), false, false) else { return };
        let mut codes = Authenticator::from_uri(&read).codes();
        terminal.send_line(&codes.next());
        let shown = terminal.expect("Type one of them, to show that you have them: ");
        let recovery = shown.split_whitespace().find(|word| word.matches('-').count() == 3).unwrap().to_owned();
        terminal.send_line(&recovery);
        terminal.expect("Done: alice now has a second factor.");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(login(world, &codes.next()), PamCode::Success);
    });
}

#[test]
fn without_colours_it_is_read_from_a_dark_terminal() {
    for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        with_account(|world, _| {
            let (_terminal, shown) = shown(world, &variables);
            assert!(!shown.contains('\x1b'), "{variables:?}");
            if let Some(read) = read(world, &picture(&shown), false, false) {
                assert_eq!(read, address(&shown));
            }
        });
    }
}

#[test]
fn an_empty_no_color_asks_for_nothing() {
    with_account(|world, _| {
        let (_terminal, shown) = shown(world, &[("NO_COLOR", "")]);
        assert!(shown.contains("\x1b[38;5;"));
    });
}

#[test]
fn picture_and_key_fit_a_terminal_of_80_by_24() {
    with_account(|world, _| {
        let (_terminal, shown) = shown(world, &[("NO_COLOR", "1")]);
        let lines = picture(&shown);
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(lines.len() <= 24 && widest <= Some(80), "{} lines, {widest:?} columns", lines.len());
    });
}

//! A real terminal on a screen that nobody sees: xterm in a virtual X server, whose picture is taken and read by zbar as
//! a phone's camera would, and on which the test types.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::launch::Launch;
use crate::process::{DEADLINE, Output, Process};
use crate::world::World;

/// The colours of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// White on black.
    Dark,
    /// Black on white.
    Light,
}

/// Where xterm writes what is shown on it, as text.
const LOG: &str = "/tmp/xterm.log";

/// What a camera makes of a screen: a little out of focus, so that the thin lines which a font leaves between the rows of
/// blocks are none; and from further away with the contrast turned up, so that `##` is a square, dark or light.
const CAMERAS: [&[&str]; 3] =
    [&["-blur", "0x1"], &["-blur", "0x5", "-threshold", "88%"], &["-blur", "0x5", "-threshold", "12%"]];

/// A terminal with a program on it. Dropping it ends both.
pub struct Screen {
    display: String,
    server: Process,
    xterm: Process,
    pictures: Cell<usize>,
}

impl Screen {
    /// Starts the program on a terminal of its own, of so many columns and rows: `80x24`. One at a time in a world.
    pub fn start(world: &World, launch: Launch, background: Background, size: &str) -> Self {
        for folder in ["fonts", "X11", "ImageMagick-6", "ImageMagick-7"] {
            if !Path::new("/etc").join(folder).exists() {
                world.take_from_host_etc(folder);
            }
        }
        // A new terminal shows nothing of the one before.
        drop(fs::remove_file(LOG));
        let server = ["Xvfb", "-displayfd", "1", "-screen", "0", "1000x1100x24", "-nolisten", "tcp", "-noreset"];
        let server = Launch::new(server).start();
        let number = server.wait("the number of the display", |seen| {
            let text = String::from_utf8_lossy(&seen.stdout).into_owned();
            text.ends_with('\n').then(|| text.trim().to_owned())
        });
        let display = format!(":{number}");
        let (front, back) = match background {
            Background::Dark => ("white", "black"),
            Background::Light => ("black", "white"),
        };
        let look = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", size, "+sb", "-b", "0"];
        let colours = ["-fg", front, "-bg", back, "-l", "-lf", LOG, "-e"];
        let prefix = ["xterm"].iter().chain(&look).chain(&colours).copied();
        let xterm = launch.under(prefix).environment("DISPLAY", &display).start();
        Self { display, server, xterm, pictures: Cell::new(0) }
    }

    /// What a QR code on the terminal says, as soon as there is one that `wanted` likes.
    ///
    /// # Panics
    /// When there is none for too long.
    pub fn decode(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.wait("a QR code on the screen", || {
            let picture = self.picture();
            CAMERAS.iter().find_map(|camera| {
                let (from, to) = ([picture.as_str()], ["/tmp/seen.png"]);
                let seen = Launch::new(["convert"].iter().chain(&from).chain(*camera).chain(&to)).run();
                assert_eq!(seen.code, Some(0), "{seen:?}");
                let read = Launch::new(["zbarimg", "--quiet", "--raw", "/tmp/seen.png"]).run();
                read.stdout.lines().find(|line| wanted(line)).map(ToOwned::to_owned)
            })
        })
    }

    /// All that was written to the terminal, up to and with `text`, as soon as it is there.
    ///
    /// # Panics
    /// When it does not come for too long.
    pub fn expect(&self, text: &str) -> String {
        self.wait(text, || {
            let shown = fs::read(LOG).unwrap_or_default();
            let shown = String::from_utf8_lossy(&shown).replace('\r', "");
            shown.contains(text).then_some(shown)
        })
    }

    /// Types a line and presses Enter.
    pub fn type_line(&self, line: &str) {
        // Without a window manager the keyboard belongs to the window under the mouse.
        let typed = ["xdotool", "mousemove", "100", "100", "type", "--delay", "10", line];
        for command in [&typed[..], &["xdotool", "key", "Return"]] {
            let output = Launch::new(command).environment("DISPLAY", &self.display).run();
            assert_eq!(output.code, Some(0), "{output:?}");
        }
    }

    /// The program on the terminal, and the terminal.
    pub(crate) fn process(&self) -> &Process {
        &self.xterm
    }

    /// Waits for the end of the program; what it wrote is in `stdout`.
    pub fn finish(self) -> Output {
        let Self { server, xterm, .. } = self;
        let output = xterm.finish();
        server.kill();
        server.finish();
        let shown = String::from_utf8_lossy(&fs::read(LOG).unwrap_or_default()).replace('\r', "");
        Output { stdout: shown, ..output }
    }

    /// Takes a picture of the whole screen; its path.
    fn picture(&self) -> String {
        let number = self.pictures.get();
        self.pictures.set(number + 1);
        let path = format!("/tmp/screen-{number}.png");
        let output = Launch::new(["import", "-display", &self.display, "-window", "root", &path]).run();
        assert_eq!(output.code, Some(0), "{output:?}");
        path
    }

    fn wait<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end && self.xterm.is_running(), "{what:?} never came; on the terminal: {}", {
                String::from_utf8_lossy(&fs::read(LOG).unwrap_or_default()).into_owned()
            });
            thread::sleep(Duration::from_millis(50));
        }
    }
}

//! Programs on a terminal.

use twinlock_tests::{Launch, Terminal, in_world};

#[test]
fn a_program_on_a_terminal_is_talked_to() {
    in_world(|_| {
        let script = "stty size; printf 'Name: ' >/dev/tty; read name </dev/tty; echo hello $name; tty";
        let mut terminal = Terminal::start(Launch::new(["sh", "-c", script]));
        assert_eq!(terminal.expect("Name: "), "24 80\nName: ");
        terminal.send_line("alice");
        terminal.expect("hello alice\n/dev/pts/0\n");
        assert_eq!(terminal.finish().code, Some(0));
    });
}

#[test]
fn ctrl_c_interrupts_a_program_on_a_terminal() {
    in_world(|_| {
        let mut terminal = Terminal::start(Launch::new(["sh", "-c", "printf ready; exec sleep 600"]));
        terminal.expect("ready");
        terminal.send(b"\x03");
        assert_eq!(terminal.finish().signal, Some(2));
    });
}

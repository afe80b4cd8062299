//! Logins by each client that people use, with key and code, as they type it on a terminal.

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use twinlock_tests::{Account, Launch, Terminal, World, recovery_codes_in, tool};

use crate::login_sshd::shipped_host::{PROMPT, key_and_code, on_a_host};
use crate::policy::first_login::app_of;

/// Clients that run a command, each with the account that it logs in as, which has its name. `HOST` and `PORT` are the server's.
const COMMANDS: [(&str, &str); 4] = [
    ("ssh", "ssh ssh@HOST echo IN"),
    ("plink", "plink -no-antispoof -P PORT -i .ssh/id.ppk -hostkey FINGERPRINT plink@HOST echo IN"),
    ("dbclient", "dbclient -p PORT -i .ssh/id.dropbear dbclient@HOST echo IN"),
    // Its server lives on without the connection, and ends with the command.
    ("mosh", "mosh --server='MOSH_SERVER_NETWORK_TMOUT=30 mosh-server' mosh@HOST -- sh -c 'echo IN; read line'"),
];

/// Clients that copy, each into the folder of the person.
const COPIES: [(&str, &str); 4] = [
    ("scp", "scp scp@HOST:/home/scp/there/file by-scp"),
    ("sftp", "sftp sftp@HOST:/home/sftp/there/file by-sftp"),
    ("rsync", "rsync -e ssh rsync@HOST:/home/rsync/there/file by-rsync"),
    ("git", "git clone git@HOST:/home/git/there site && cp site/file by-git"),
];

/// A server that answers everybody, and somebody who has one key, in the form of each client.
struct Desk<'w> {
    world: &'w World,
    person: Account,
    port: String,
    fingerprint: String,
}

impl Desk<'_> {
    /// Runs the command of a shell on a terminal, and gives the code of the user.
    fn log_in(&self, user: &str, command: &str, prompt: &str) -> Terminal {
        let words = command.replace("HOST", "127.0.0.1").replace("PORT", &self.port);
        let words = words.replace("FINGERPRINT", &self.fingerprint);
        let shell = ["sh", "-c", &format!("cd ~ && {words}")].map(str::to_owned);
        let mut terminal = Terminal::start(Launch::new(shell).account(&self.person));
        terminal.expect(prompt);
        terminal.send_line(&self.world.app_of(user).codes().next());
        terminal
    }

    /// The ways in which this user was let in, without the beginning that they have in common.
    fn granted(&self, user: &str) -> Vec<String> {
        let mut entries = self.world.entries_since(0);
        entries.retain(|entry| entry.value("user") == user);
        entries.iter().map(|entry| format!("{} {}", entry.value("result"), entry.value("method"))).collect()
    }
}

/// Runs the test beside a server with these users.
fn with_clients(users: &[&str], test: impl FnOnce(&Desk<'_>) + Send) {
    on_a_host(key_and_code, |world, sshd| {
        let person = world.account("person");
        let key = "/home/person/.ssh/id_ed25519";
        fs::create_dir_all("/home/person/.ssh").unwrap();
        tool(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
        tool(&["puttygen", key, "-O", "private", "-o", "/home/person/.ssh/id.ppk"]);
        tool(&["dropbearconvert", "openssh", "dropbear", key, "/home/person/.ssh/id.dropbear"]);
        for user in users {
            if *user != "alice" {
                world.account(user);
            }
            world.deploy(user);
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let lobby = sshd.welcome(listener, &fs::read_to_string(format!("{key}.pub")).unwrap());
        // Some look for the port here, and some do not.
        let known =
            [format!("[127.0.0.1]:{port}"), "127.0.0.1".into()].map(|name| format!("{name} {}\n", lobby.host_key()));
        world.write("/home/person/.ssh/known_hosts", known.concat());
        world
            .write("/home/person/.ssh/config", format!("Port {port}\nIdentityAgent none\nStrictHostKeyChecking yes\n"));
        tool(&["chown", "-R", "person:", "/home/person"]);
        let of_host = tool(&["ssh-keygen", "-l", "-f", "/home/person/.ssh/known_hosts"]).stdout;
        let fingerprint = of_host.split(' ').nth(1).unwrap().to_owned();
        lobby.serve_during(|| test(&Desk { world, person, port, fingerprint }));
    });
}

#[test]
fn ssh_plink_dbclient_and_mosh_log_in_with_one_code_each() {
    with_clients(&COMMANDS.map(|(user, _)| user), |desk| {
        for (user, command) in COMMANDS {
            let mut terminal = desk.log_in(user, command, PROMPT);
            terminal.expect("IN");
            terminal.send_line("");
            assert_eq!(terminal.finish().code, Some(0), "{user}");
            assert_eq!(desk.granted(user), ["granted totp"], "{user}");
        }
    });
}

#[test]
fn scp_sftp_rsync_and_git_copy_with_one_code_each() {
    with_clients(&COPIES.map(|(user, _)| user), |desk| {
        for (user, command) in COPIES {
            let there = format!("/home/{user}/there");
            desk.world.write(format!("{there}/file"), "from the server\n");
            tool(&["chown", "-R", &format!("{user}:"), &there]);
            if user == "git" {
                let commit = "git init -q && git add file && git -c user.name=a -c user.email=a@h commit -q -m first";
                tool(&["setpriv", "--reuid", user, "env", "HOME=/", "sh", "-c", &format!("cd {there} && {commit}")]);
            }
            assert_eq!(desk.log_in(user, command, PROMPT).finish().code, Some(0), "{user}");
            assert_eq!(desk.granted(user), ["granted totp"], "{user}");
            let copied = fs::read_to_string(format!("/home/person/by-{user}")).unwrap();
            assert_eq!(copied, "from the server\n", "{user}");
        }
    });
}

#[test]
fn paramiko_and_asyncssh_log_in_as_the_page_says() {
    with_clients(&["alice", "by-asyncssh"], |desk| {
        let page = fs::read_to_string(desk.world.repository().join("docs/automation.md")).unwrap();
        let programs = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let programs: Vec<_> = programs.collect();
        assert!(programs[0].contains("import paramiko") && programs[1].contains("asyncssh"), "{programs:?}");
        for (program, user, prompt) in [(programs[0], "alice", "Code: "), (programs[1], "by-asyncssh", PROMPT)] {
            let here = program.replace("\"web01.example.org\"", &format!("\"127.0.0.1\", port={}", desk.port));
            assert_ne!(here, program, "the page has another host now");
            desk.world.write("/home/person/program.py", here.replace("\"alice\"", &format!("\"{user}\"")));
            let mut terminal = desk.log_in(user, "/usr/bin/python3 -W ignore program.py", prompt);
            terminal.expect("IN\n");
            assert_eq!(terminal.finish().code, Some(0), "{user}");
            assert_eq!(desk.granted(user), ["granted totp"], "{user}");
        }
    });
}

/// Clients that people log in with for the first time, each in a window of 80x24, as in [`COMMANDS`].
const FIRST_LOGINS: [(&str, &str); 3] = [
    ("ssh", "ssh ssh@HOST 'echo IN; read line'"),
    ("plink", "plink -no-antispoof -P PORT -i .ssh/id.ppk -hostkey FINGERPRINT plink@HOST 'echo IN; read line'"),
    ("dbclient", "dbclient -p PORT -i .ssh/id.dropbear dbclient@HOST 'echo IN; read line'"),
];

/// A window of `tmux`, whose screen is looked at as it is drawn.
struct Window<'d>(&'d Desk<'d>);

impl Window<'_> {
    fn tmux(&self, arguments: &[&str]) -> String {
        let launch = Launch::new([&["tmux", "-u", "-f", "/dev/null"], arguments].concat());
        launch.environment("LC_ALL", "C.UTF-8").account(&self.0.person).run().stdout
    }

    /// Types a line, and waits until the screen shows what is expected then.
    fn answer(&self, line: &str, expected: &str) -> String {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
        self.expect(expected)
    }

    fn expect(&self, expected: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.tmux(&["capture-pane", "-p"]);
            if screen.contains(expected) {
                return screen;
            }
            assert!(Instant::now() < end, "{expected:?} never came: {screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_first_login_fits_the_window_of_each_client_and_shows_the_key_at_once() {
    with_clients(&["alice"], |desk| {
        let config = "second_factor = \"enroll\"\nissuer = \"web01\"\nhelp = \"Questions? Room 12.\"\n";
        desk.world.write("/etc/twinlock/config.toml", config);
        for (user, command) in FIRST_LOGINS {
            desk.world.account(user);
            let words = command.replace("HOST", "127.0.0.1").replace("PORT", &desk.port);
            let words = format!("cd ~ && {}", words.replace("FINGERPRINT", &desk.fingerprint));
            let window = Window(desk);
            window.tmux(&["new-session", "-d", "-x", "80", "-y", "24", &words]);
            let first = window.expect("Enter the code that the app shows now:");
            let key = format!("(web01: {user})");
            for text in ["This host asks for a code", "Questions? Room 12.", &key, "press Enter."] {
                assert!(first.contains(text), "{user}: {first}");
            }
            // plink leads each line with a bar.
            let app = app_of(&first.replace("| ", "  "));
            let second = window.answer("", "Cannot scan it?");
            assert!(second.contains(&key) && second.contains('█') == (user != "dbclient"), "{user}: {second}");
            let codes = window.answer(&app.codes().next(), "Enter one of these codes");
            window.answer(&recovery_codes_in(&codes)[0], "\nIN");
            window.tmux(&["kill-server"]);
            assert_eq!(desk.granted(user), ["granted totp"; 2], "{user}: offered and stored");
        }
    });
}

//! From a password to a run, and back to nothing, in one home.

use std::fs;

use serde_json::Value;

use crate::kit::{Case, Ended};
use crate::running::Server;

const WORLD: &str = "\
users:
  - {name: mira, password: correct horse, role: platform-admin}
  - {name: tomo, password: battery staple, totp: '123456', role: platform-admin}
";

const LOOK: &str = "runbook: v1\nname: look\nsteps: [{get: {deployment: shop/web}}]\n";

/// A login at the served world, with the first line of the standard input.
fn login(server: &Server, who: &str, stdin: &str) -> Case {
    let urls = ["--auth-url", server.url(), "--control-hub-url", server.url()];
    Case::new(["login", who]).args(urls).stdin(format!("{stdin}\n"))
}

fn mira(server: &Server) -> Ended {
    login(server, "mira@olares.com", "correct horse").args(["--password-stdin"]).run().exits(0)
}

fn state(ended: Ended) -> (String, Ended) {
    let shown = Case::new(["profile", "show", "-o", "json"]).at_home_of(ended).run().exits(0);
    let value: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    (value["login"]["state"].as_str().expect("a word").to_owned(), shown)
}

#[test]
fn a_password_becomes_a_login_that_a_run_uses() {
    let server = Server::of_text(WORLD);
    let ended = mira(&server);
    assert!(ended.stdout.starts_with("logged in as mira@olares.com\n"), "{}", ended.said());
    assert!(
        ended.stdout.contains("valid, ends in 59m") || ended.stdout.contains("valid, ends in 60m"),
        "{}",
        ended.said()
    );
    assert!(!ended.said().contains("correct horse"));
    let run = Case::new(["run", "book.yaml"]).at_home_of(ended).file("book.yaml", LOOK).run().exits(0);
    assert!(run.stdout.contains("look  on mira@olares.com (controlhub)"), "{}", run.said());
}

#[test]
fn the_files_are_those_of_olares_cli_and_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let ended = mira(&Server::of_text(WORLD));
    let files = ended.files();
    for name in
        [".olares-cli/config.json", ".local/share/olares-cli/master.key", ".local/share/olares-cli/mira_olares.com.enc"]
    {
        let path = files.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("{name}: {files:?}"));
        assert_eq!(fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert!(files.iter().any(|path| path.ends_with(".olares-cli/locks/mira@olares.com.refresh.lock")), "{files:?}");
}

#[test]
fn a_second_factor_is_asked_for_where_the_server_wants_one() {
    let server = Server::of_text(WORLD);
    let without = login(&server, "tomo@olares.com", "battery staple").args(["--password-stdin"]).run().exits(2);
    assert_eq!(without.stderr, "error: two-factor authentication is required: run it again with --totp CODE\n");
    let wrong = login(&server, "tomo@olares.com", "battery staple").args(["--password-stdin", "--totp", "000000"]);
    let wrong = wrong.run().exits(8);
    assert!(wrong.stderr.starts_with("error: /api/secondfactor/totp returned HTTP 401: KO: "), "{}", wrong.stderr);
    assert!(!wrong.files().iter().any(|path| path.ends_with("config.json")), "nothing is kept of a login that failed");
    let right = login(&server, "tomo@olares.com", "battery staple").args(["--password-stdin", "--totp", "123456"]);
    assert_eq!(state(right.run().exits(0)).0, "valid");
}

#[test]
fn a_wrong_password_is_no_login() {
    let server = Server::of_text(WORLD);
    let ended = login(&server, "mira@olares.com", "wrong").args(["--password-stdin"]).run().exits(8);
    assert!(ended.stderr.starts_with("error: /api/firstfactor returned HTTP 401: KO: "), "{}", ended.stderr);
    let closed =
        Case::new(["login", "mira@olares.com", "--auth-url", &crate::running::closed_port(), "--password-stdin"]);
    let _ = closed.stdin("pw\n").run().exits(8);
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let server = Server::of_text(WORLD);
    let ended = login(&server, "mira@olares.com", "correct horse").run().exits(2);
    assert!(ended.stderr.contains("--password-stdin"), "{}", ended.stderr);
    let ended = login(&server, "mira@olares.com", "").args(["--password-stdin"]).run().exits(2);
    assert_eq!(ended.stderr, "error: the standard input held no password\n");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn a_refresh_token_is_imported_and_kept_when_it_rotates() {
    let server = Server::of_text(&format!("{WORLD}tokens: {{requests: 1, refresh: rotates}}\n"));
    let (_, refresh) = server.tokens("mira");
    let ended = login(&server, "mira@olares.com", &refresh).args(["--refresh-token-stdin"]).run().exits(0);
    assert!(!ended.said().contains(&refresh));
    let book = "runbook: v1\nname: look\nsteps:\n".to_owned() + &"  - get: {deployment: shop/web}\n".repeat(3);
    let run = Case::new(["run", "book.yaml"]).at_home_of(ended).file("book.yaml", book).run().exits(0);
    let renewals = server.requests().iter().filter(|seen| seen.starts_with("POST /api/refresh")).count();
    assert_eq!(renewals, 3, "the import, and two tokens spent: {}", run.said());
    let spent = login(&server, "mira@olares.com", &refresh).args(["--refresh-token-stdin", "--again"]).run().exits(8);
    assert!(spent.stderr.starts_with("error: /api/refresh returned HTTP 401: KO: "), "{}", spent.stderr);
}

#[test]
fn processes_that_are_refused_at_once_renew_once() {
    let server = Server::of_text(&format!("{WORLD}tokens: {{requests: 4, refresh: rotates}}\n"));
    let look = || Case::new(["get", "ns", "shop", "-o", "name"]);
    let spent = (0..4).fold(mira(&server), |ended, _| look().at_home_of(ended).run().exits(0));
    let case = look().at_home_of(spent);
    // Each takes one request: the four tokens' worth of a single renewal, in whatever order they come.
    let children: Vec<_> = (0..4)
        .map(|_| case.command().stdout(std::process::Stdio::null()).spawn().expect("the binary starts"))
        .collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    let renewals = server.requests().iter().filter(|seen| seen.starts_with("POST /api/refresh")).count();
    assert_eq!(renewals, 1, "{:?}", server.requests());
}

#[test]
fn a_login_that_works_is_not_made_again_unless_asked() {
    let server = Server::of_text(WORLD);
    let first = mira(&server);
    let asked = server.requests().len();
    let second = Case::new(["login"]).at_home_of(first).run().exits(0);
    assert!(second.stdout.starts_with("already logged in as mira@olares.com\n"), "{}", second.said());
    assert_eq!(server.requests().len(), asked);
    let again = Case::new(["login", "--again", "--password-stdin"]).at_home_of(second).stdin("correct horse\n");
    assert!(again.run().exits(0).stdout.starts_with("logged in as"), "how the instance is reached was kept");
    assert_eq!(server.requests().len(), asked + 1);
}

#[test]
fn a_logout_takes_the_login_and_with_forget_the_profile() {
    let server = Server::of_text(WORLD);
    let out = Case::new(["logout"]).at_home_of(mira(&server)).run().exits(0);
    assert_eq!(out.stdout, "logged out mira@olares.com\n");
    let (word, out) = state(out);
    assert_eq!(word, "none");
    let run = Case::new(["run", "book.yaml"]).at_home_of(out).file("book.yaml", LOOK).run().exits(8);
    assert!(run.stderr.contains("run `runhub login mira@olares.com`"), "{}", run.stderr);
    let gone = Case::new(["logout", "--forget"]).at_home_of(run).run().exits(0);
    assert_eq!(gone.stdout, "mira@olares.com was not logged in\nremoved the profile mira@olares.com\n");
    let list = Case::new(["profile", "list"]).at_home_of(gone).run().exits(0);
    assert_eq!(list.said(), "no profiles yet: run `runhub login name@domain`\n");
}

#[test]
fn profiles_are_listed_and_chosen_there_and_back() {
    let server = Server::of_text(WORLD);
    let first = mira(&server);
    let args = ["--password-stdin", "--totp", "123456", "--name", "second"];
    let second = login(&server, "tomo@olares.com", "battery staple").args(args).at_home_of(first).run().exits(0);
    let list = Case::new(["profile", "list"]).at_home_of(second).run().exits(0);
    let rows: Vec<Vec<&str>> = list.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..3], ["mira@olares.com", "mira@olares.com", "valid,"], "{}", list.stdout);
    assert_eq!(rows[2][..4], ["*", "second", "tomo@olares.com", "valid,"], "{}", list.stdout);
    let used = Case::new(["profile", "use", "-"]).at_home_of(list).run().exits(0);
    assert_eq!(used.stdout, "the active profile is mira@olares.com (mira@olares.com)\n");
    let wrong = Case::new(["profile", "use", "secnd"]).at_home_of(used).run().exits(2);
    assert!(wrong.stderr.ends_with("; did you mean `second`?\n"), "{}", wrong.stderr);
    let look = |case: Case| case.file("book.yaml", LOOK).run().exits(0);
    let by_flag = look(Case::new(["run", "book.yaml", "--profile", "second"]).at_home_of(wrong));
    assert!(by_flag.stdout.contains("look  on second"), "{}", by_flag.said());
    let by_variable = look(Case::new(["run", "book.yaml"]).env("RUNHUB_PROFILE", "second").at_home_of(by_flag));
    assert!(by_variable.stdout.contains("look  on second"), "{}", by_variable.said());
    let slip = Case::new(["login", "secnd"]).at_home_of(by_variable).run().exits(2);
    assert!(slip.stderr.contains("did you mean `second`?; a new identity is written name@domain"), "{}", slip.stderr);
}

#[test]
fn the_platforms_credential_needs_no_login_and_allows_none() {
    let server = Server::of_text(WORLD);
    let (_, refresh) = server.tokens("mira");
    let config = serde_json::json!({"profiles": [{"olaresId": "mira@olares.com", "authUrlOverride": server.url(),
        "controlHubUrlOverride": server.url()}]});
    let credential = serde_json::json!({"refreshToken": refresh, "olaresId": "mira@olares.com", "appName": "shop"});
    let run = Case::new(["run", "book.yaml"])
        .file("book.yaml", LOOK)
        .file("config.json", config.to_string())
        .file("credential.json", credential.to_string())
        .env("OLARES_CLI_HOME", ".")
        .env("OLARES_CLI_CREDENTIALS_DIR", ".")
        .run()
        .exits(0);
    assert_eq!(server.requests()[0], "POST /api/refresh", "{}", run.said());
    let sealed: Vec<_> = run.files().into_iter().filter(|path| path.ends_with("mira_olares.com.enc")).collect();
    assert_eq!(sealed.len(), 1);
    let refused = Case::new(["login"]).env("OLARES_CLI_HOME", ".").env("OLARES_CLI_CREDENTIALS_DIR", ".");
    let refused = refused.at_home_of(run).run().exits(2);
    assert!(refused.stderr.contains("issued by the platform for shop"), "{}", refused.stderr);
}

//! What must not be sent, and what is said instead.

use crate::kit::Case;
use crate::running::closed_port;

const CHANGES: &str = "\
runbook: v1
name: grow
steps:
  - id: look
    get: {deployment: shop/web}
  - id: grow
    scale: {deployment: shop/web, replicas: 5}
";

const READS: &str = "\
runbook: v1
name: look
steps:
  - get: {deployment: shop/web}
";

#[test]
fn without_consent_not_one_request_is_sent() {
    let ended = Case::book_without_consent(CHANGES).run().exits(4);
    assert_eq!(ended.requests(), Vec::<String>::new());
    assert_eq!(ended.report()["outcome"], "refused");
    assert_eq!(ended.report()["exit"]["class"], "consent");
    assert!(ended.said().contains("--yes"), "{}", ended.said());
}

#[test]
fn a_piped_yes_is_no_consent() {
    let ended = Case::book_without_consent(CHANGES).stdin("y\nyes\n").run().exits(4);
    assert_eq!(ended.requests(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let ended = Case::book(READS).served(&closed_port(), "token-of-alice").run().exits(8);
    assert_eq!(ended.report()["outcome"], "unreachable");
    assert!(ended.said().contains("127.0.0.1"), "{}", ended.said());
}

#[test]
fn half_a_login_is_wrong_use() {
    let case = || Case::new(["run", "runbook.yaml"]).file("runbook.yaml", READS);
    let ended = case().env("RUNHUB_URL", "http://127.0.0.1:1").run().exits(2);
    assert!(ended.stderr.contains("RUNHUB_TOKEN"), "{}", ended.stderr);
    let ended = case().env("RUNHUB_TOKEN", "x").run().exits(2);
    assert!(ended.stderr.contains("RUNHUB_URL"), "{}", ended.stderr);
}

#[test]
fn without_any_target_the_ways_to_one_are_named() {
    let ended = Case::new(["run", "runbook.yaml"]).file("runbook.yaml", READS).run().exits(8);
    for way in ["--sim", "--kubeconfig", "RUNHUB_URL"] {
        assert!(ended.stderr.contains(way), "{way}: {}", ended.stderr);
    }
}

#[test]
fn a_report_that_cannot_be_written_stops_the_run_before_it_begins() {
    for target in ["json=no/such/folder/r.json", "json=.", "nosuch=r.txt", "json="] {
        let ended = Case::book(CHANGES).without_reports().args(["--report", target]).run().exits(2);
        let journals = ended.files().iter().filter(|path| path.ends_with("journal.jsonl")).count();
        assert_eq!(journals, 0, "{target}: {}", ended.said());
        assert!(ended.stderr.starts_with("error: "), "{target}: {}", ended.stderr);
    }
}

#[test]
fn a_wrong_use_of_the_command_line_is_exit_2() {
    for arguments in [&["run"][..], &["run", "a.yaml", "--no-such"], &["nonsense"], &["check"], &["actions", "gett"]] {
        let _ = Case::new(arguments).run().exits(2);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ended = Case::new(["check", "gone.yaml"]).run().exits(3);
    assert!(ended.stderr.contains("gone.yaml cannot be read"), "{}", ended.stderr);
}

#[test]
fn a_file_that_is_no_utf_8_is_refused_at_its_byte() {
    let ended = Case::check("").file("runbook.yaml", b"runbook: v1\nname: \xff\xfe\n").run().exits(3);
    assert!(ended.stderr.contains("UTF-8"), "{}", ended.stderr);
}

#[test]
fn a_file_over_8_mib_is_refused_unread() {
    let long = format!("{READS}#{}\n", "x".repeat(8 << 20));
    let ended = Case::check(&long).run().exits(3);
    assert!(ended.stderr.contains("8 MiB"), "{}", ended.stderr);
}

#[test]
fn check_takes_several_files_and_the_standard_input() {
    let ended = Case::check(READS).args(["-"]).stdin("runbook: v1\nname: x\nsteps: [{nope: 1}]\n").run().exits(3);
    assert_eq!(ended.stdout, "runbook.yaml: ok, 1 step\n");
    assert!(ended.stderr.contains("unknown action `nope`"), "{}", ended.stderr);
}

#[test]
fn check_for_programs_is_json() {
    let ended = Case::check("runbook: v1\nname: x\nsteps: [{scael: {}}]\n").args(["--output", "json"]).run().exits(3);
    let complaints: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let first = complaints.pointer("/0").or(complaints.pointer("/diagnostics/0")).expect("a complaint");
    assert_eq!(first["message"], "unknown action `scael`");
    assert_eq!((&first["line"], &first["column"]), (&3.into(), &10.into()), "{first}");
}

#[test]
fn a_scenario_with_a_slip_is_named_before_anything_runs() {
    let ended = Case::book(READS).world("wolrd: demo\n").run().exits(3);
    assert!(ended.stderr.contains("wolrd"), "{}", ended.stderr);
}

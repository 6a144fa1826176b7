//! A planted secret must not be found in anything that a run leaves or says.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::kit::{Case, Ended, WORLD};

const SECRET: &str = "hunter2/&?=\"quoted\"+ä";

const BOOK: &str = r#"
runbook: v1
name: secrets
inputs:
  password: {type: string, secret: true}
  word: {type: string, env: RUNHUB_WORD}
vars:
  derived: "<{{ inputs.password }}>"
  made: {value: "{{ random_text(32) }}", secret: true}
steps:
  - id: kept
    get: {secret: shop/login}
    expect: [{path: $.data.password, equals: nothing like it}]
    outputs:
      password: {path: $.data.password, secret: true}
      plain: {value: "{{ result.data.password|b64decode }}", secret: true}
    continue-on-error: true
  - name: "told with {{ inputs.password }}"
    note: "{{ inputs.password }} {{ vars.derived }} {{ inputs.password|b64encode }} {{ inputs.password|tojson }}"
  - note: "{{ inputs.word }} {{ vars.made }}"
  - id: patched
    patch: {configmap: shop/settings, body: {data: {password: "{{ inputs.password }}"}}}
  - get: {configmap: shop/settings}
    expect: [{path: $.data.password, equals: wrong}]
    continue-on-error: true
  - assert: [{that: "inputs.password == 'wrong'", message: "it was {{ inputs.password }}"}]
    continue-on-error: true
  - fail: "the password {{ inputs.password }} is bad"
on-failure:
  - note: "{{ failure.message }}"
  - undo-steps: all
outputs:
  password: "{{ inputs.password }}"
"#;

/// Every form in which the secret could show.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).expect("text");
    let url = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    vec![secret.to_owned(), json.trim_matches('"').to_owned(), STANDARD.encode(secret), url]
}

fn run() -> Ended {
    let world = fs::read_to_string(WORLD).expect("the world");
    let object = format!(
        "  - {{apiVersion: v1, kind: Secret, metadata: {{name: login, namespace: shop}}, data: {{password: \"{}\"}}}}\n",
        STANDARD.encode(SECRET)
    );
    Case::book(BOOK)
        .world(&format!("{world}{object}"))
        .file("inputs.yaml", format!("password: {}\n", serde_json::to_string(SECRET).expect("text")))
        .args(["--inputs", "inputs.yaml", "--verbose"])
        .env("RUNHUB_WORD", "correct-horse-battery")
        .run()
}

#[test]
fn no_artefact_holds_a_secret_in_any_form() {
    let ended = run().exits(5);
    let mut words = forms(SECRET);
    words.extend(forms("correct-horse-battery"));
    // What the test itself wrote is no artefact.
    let own = ["inputs.yaml", "scenario.yaml"];
    let files = ended.files().into_iter().filter(|path| !own.iter().any(|name| path.ends_with(name)));
    let mut texts: Vec<(String, Vec<u8>)> =
        files.map(|path| (path.display().to_string(), fs::read(&path).expect("a file"))).collect();
    assert!(texts.len() >= 5, "journal, vault, key and two reports: {texts:?}");
    texts.push(("what it said".into(), ended.said().into_bytes()));
    for (name, bytes) in &texts {
        let text = String::from_utf8_lossy(bytes);
        for word in &words {
            assert!(!text.contains(word.as_str()), "{name} holds {word}:\n{text}");
        }
    }
}

#[test]
fn what_hides_a_secret_can_be_seen() {
    let ended = run();
    assert!(ended.said().contains("***"), "{}", ended.said());
    assert_eq!(ended.report()["run"]["inputs"]["password"], "***");
    assert_eq!(ended.report()["outputs"]["password"], "***");
    assert_eq!(ended.step("kept")["outputs"]["plain"], "***");
}

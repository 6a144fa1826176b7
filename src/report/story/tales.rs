//! The runs that are told.

use serde_json::json;

use super::{Story, head};
use crate::event::{
    CancelReason, Change, Class, Event, EventKind, ExchangeEnd, Failure, Left, NotUndoable, ObjectId, Outcome, Phase,
    Reversal, Settled, StepId, StillChanged, Verb, Verdict, Written,
};
use crate::expect::{FieldDiff, Mismatch, Operand};
use crate::source::Place;

fn web() -> ObjectId {
    ObjectId {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: "web".into(),
        uid: "8f1d".into(),
    }
}

fn scaled(step: &str, before: i64, after: i64) -> Change {
    Change {
        step: StepId(step.into()),
        verb: Verb::Patch,
        object: web(),
        summary: format!("replicas {before} → {after}"),
        resource_version: "41".into(),
        body_digest: String::new(),
        written: vec![Written {
            pointer: "/spec/replicas".into(),
            before: Some(json!(before)),
            after: Some(json!(after)),
        }],
        reversal: Reversal::Fields,
        pods: 0,
    }
}

fn applied() -> Settled {
    Settled::Applied { uid: "8f1d".into(), resource_version: "42".into(), generation: 7 }
}

fn too_few() -> Verdict {
    Verdict::Failed(vec![
        Mismatch {
            subject: "$.status.readyReplicas".into(),
            expected: "at least 3".into(),
            found: Some(json!("1")),
            reason: "text \"1\" is not a number".into(),
            place: Some(Place { file: "scale-shop-web.yaml".into(), line: 24, column: 9 }),
            ..Mismatch::default()
        },
        Mismatch {
            subject: "$.metadata.labels".into(),
            expected: "subset {\"app\":\"web\"}".into(),
            found: Some(json!({"tier": "front"})),
            message: Some("the labels went".into()),
            diff: vec![FieldDiff { field: "/app".into(), expected: Some(json!("web")), found: None }],
            ..Mismatch::default()
        },
        Mismatch {
            subject: "result.spec.replicas == inputs.replicas".into(),
            expected: "true".into(),
            operands: vec![
                Operand { text: "result.spec.replicas".into(), value: json!(1) },
                Operand { text: "inputs.replicas".into(), value: json!(3) },
            ],
            ..Mismatch::default()
        },
    ])
}

fn stuck() -> Failure {
    let mut failure = Failure::new(Class::Hopeless, "Deployment shop/web cannot become ready")
        .because(vec![
            "ReplicaSet shop/web-6c9f: 2 of 3 pods are not ready".into(),
            "Pod shop/web-6c9f-x: ImagePullBackOff registry.example/web:1.9".into(),
        ])
        .help("correct the image, or roll back with `runhub undo`");
    failure.http_status = Some(500);
    failure.reason = Some("InternalError".into());
    failure
}

/// Every story, by name.
pub(in super::super) fn all() -> Vec<(&'static str, Vec<Event>)> {
    let stories = [
        ("passes", passes()),
        ("fails", fails()),
        ("skips_and_tolerates", skips_and_tolerates()),
        ("loops", loops()),
        ("tries_again", tries_again()),
        ("is_refused", is_refused()),
        ("is_interrupted", is_interrupted()),
        ("breaks_off_and_is_resumed", breaks_off_and_is_resumed()),
        ("breaks_off", breaks_off()),
        ("is_undone", is_undone()),
        ("meets_hostile_text", meets_hostile_text()),
    ];
    stories.into_iter().map(|(name, story)| (name, story.events)).collect()
}

fn passes() -> Story {
    Story::begin()
        .get("", "/api/v1/whoami")
        .start("before", "Look at the deployment", "get")
        .after(12)
        .get("before", "/apis/apps/v1/namespaces/shop/deployments/web")
        .end_with("before", Verdict::Passed, |end| {
            end.expectations = 2;
            end.outputs = [("replicas".into(), json!(1))].into();
            end.info = json!({"found": true});
        })
        .tell(EventKind::Asked { question: "May 1 object be changed?".into(), answer: "yes (--yes)".into() })
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(80)
        .change(scaled("grow", 1, 3), applied())
        .wait("grow", "1 of 3 updated")
        .after(1_200)
        .wait("grow", "2 of 3 updated; web-6c9f: ContainerCreating")
        .after(900)
        .end_with("grow", Verdict::Passed, |end| end.changed = true)
        .finish(Outcome::Passed, 0, |end| {
            end.outputs = [("replicas".into(), json!(3))].into();
        })
}

fn fails() -> Story {
    Story::begin()
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(80)
        .change(scaled("grow", 1, 3), applied())
        .end_with("grow", Verdict::Passed, |end| end.changed = true)
        .start("serves", "The web tier serves", "get")
        .after(30)
        .end_with("serves", too_few(), |end| end.expectations = 4)
        .phase(Phase::OnFailure)
        .start("on-failure-1", "logs deployment shop/web", "logs")
        .after(45)
        .tell(EventKind::ArtifactWritten {
            step: StepId("on-failure-1".into()),
            name: "web.log".into(),
            path: "/state/runs/20261121-033100-5f3a/web.log".into(),
            bytes: 8_192,
        })
        .end("on-failure-1", Verdict::Passed)
        .finish(Outcome::Failed, 1, |end| {
            end.class = Some(Class::Expectation);
            end.failed_step = Some(StepId("serves".into()));
            end.failure = Some(Failure::new(
                Class::Expectation,
                "$.status.readyReplicas should be: at least 3; found \"1\" (and 2 more)",
            ));
            end.left = left();
        })
}

fn left() -> Left {
    Left {
        still_changed: vec![StillChanged {
            step: StepId("grow".into()),
            object: web(),
            field: "/spec/replicas".into(),
            before: Some(json!(1)),
            now: Some(json!(3)),
        }],
        not_undoable: vec![NotUndoable {
            step: StepId("migrate".into()),
            what: "rerun Job shop/migrate".into(),
            reason: "what the job did stays done".into(),
        }],
        next: vec!["runhub undo 20261121-033100-5f3a".into()],
    }
}

fn skips_and_tolerates() -> Story {
    Story::begin()
        .start("health", "The health page answers", "wait")
        .end("health", Verdict::Skipped("inputs.health is defined: inputs.health is not set".into()))
        .start("clean", "Sweep old jobs", "group")
        .start("clean.list", "list jobs in shop", "list")
        .after(15)
        .warn(Some("clean.list"), "the list is not complete")
        .end("clean.list", Verdict::Errored(stuck()))
        .end_with("clean", Verdict::Errored(Failure::new(Class::Hopeless, "step clean.list failed")), |end| {
            end.tolerated = true;
        })
        .note(None, "nothing was swept")
        .start("say", "note", "note")
        .note(Some("say"), "replicas are 3 now")
        .end("say", Verdict::Passed)
        .finish(Outcome::Passed, 0, |end| end.tolerated = 1)
}

fn loops() -> Story {
    Story::begin()
        .start("pause", "Suspend what runs at night", "group")
        .start("pause[shop]", "shop", "item")
        .start("pause[shop].cron", "suspend cronjob shop/nightly", "suspend")
        .after(20)
        .end("pause[shop].cron", Verdict::Passed)
        .end("pause[shop]", Verdict::Passed)
        .start("pause[blog]", "blog", "item")
        .start("pause[blog].cron", "suspend cronjob blog/nightly", "suspend")
        .start("pause[wiki]", "wiki", "item")
        .start("pause[wiki].cron", "suspend cronjob wiki/nightly", "suspend")
        .after(20)
        .end(
            "pause[blog].cron",
            Verdict::Errored(Failure::new(Class::Forbidden, "cronjobs.batch \"nightly\" is forbidden")),
        )
        .end("pause[blog]", Verdict::Errored(Failure::new(Class::Forbidden, "step pause[blog].cron failed")))
        .end("pause[wiki].cron", Verdict::Cancelled(CancelReason::StepFailed))
        .end("pause[wiki]", Verdict::Cancelled(CancelReason::StepFailed))
        .end("pause", Verdict::Errored(Failure::new(Class::Forbidden, "1 of 3 items failed: blog")))
        .finish(Outcome::Failed, 1, |end| {
            end.class = Some(Class::Forbidden);
            end.failed_step = Some(StepId("pause[blog].cron".into()));
            end.failure = Some(Failure::new(Class::Forbidden, "cronjobs.batch \"nightly\" is forbidden"));
        })
}

fn tries_again() -> Story {
    Story::begin()
        .start("serves", "The web tier serves", "http")
        .after(50)
        .attempt_failed("serves", 1, Verdict::Errored(Failure::new(Class::Server, "503 Service Unavailable")))
        .after(1_050)
        .end_with("serves", Verdict::Passed, |end| end.attempts = 2)
        .start("deploy", "Roll out", "group")
        .start("deploy.image", "set-image deployment shop/web", "set-image")
        .after(10)
        .end("deploy.image", too_few())
        .attempt_failed("deploy", 1, Verdict::Errored(Failure::new(Class::Expectation, "step deploy.image failed")))
        .after(1_000)
        .start("deploy.image", "set-image deployment shop/web", "set-image")
        .after(10)
        .end("deploy.image", Verdict::Passed)
        .end_with("deploy", Verdict::Passed, |end| end.attempts = 2)
        .finish(Outcome::Passed, 0, |_| {})
}

fn is_refused() -> Story {
    Story::begin()
        .start("before", "Look at the deployment", "get")
        .after(12)
        .end("before", Verdict::Passed)
        .tell(EventKind::Asked { question: "May 1 object be changed?".into(), answer: "no".into() })
        .finish(Outcome::Refused, 4, |end| {
            end.class = Some(Class::Consent);
            end.failure = Some(Failure::new(Class::Consent, "nobody agreed to the changes").help("give --yes"));
        })
}

fn is_interrupted() -> Story {
    let lost = Settled::Unknown("the connection was dropped".into());
    Story::begin()
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(80)
        .request("grow", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web", ExchangeEnd::Dropped)
        .tell(EventKind::Interrupted(CancelReason::Interrupt))
        .change(scaled("grow", 1, 3), lost)
        .end("grow", Verdict::Cancelled(CancelReason::Interrupt))
        .finish(Outcome::Cancelled, 130, |end| {
            end.class = Some(Class::Cancelled);
            end.failed_step = Some(StepId("grow".into()));
            end.left.next = vec!["runhub resume 20261121-033100-5f3a".into()];
        })
}

fn breaks_off() -> Story {
    Story::begin()
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(80)
        .change(scaled("grow", 1, 3), applied())
        .wait("grow", "1 of 3 updated")
        .after(4_000)
        .request("grow", "GET", "/apis", ExchangeEnd::Broken("connection reset".into()))
}

fn breaks_off_and_is_resumed() -> Story {
    breaks_off()
        .after(60_000)
        .tell(EventKind::RunStarted(Box::new(head())))
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(100)
        .end("grow", Verdict::Passed)
        .finish(Outcome::Passed, 0, |_| {})
}

fn is_undone() -> Story {
    let failure = || Failure::new(Class::Timeout, "no rollout within 10m");
    Story::begin()
        .start("grow", "scale deployment shop/web to 3", "scale")
        .after(80)
        .change(scaled("grow", 1, 3), applied())
        .wait("grow", "2 of 3 updated; web-6c9f: ImagePullBackOff registry.example/web:1.9")
        .after(600_000)
        .end("grow", Verdict::Errored(failure()))
        .phase(Phase::Always)
        .start("always-1", "undo-steps all", "undo-steps")
        .phase(Phase::Undo)
        .start("always-1.grow", "undo of grow", "undo")
        .after(70)
        .change(scaled("always-1.grow", 3, 1), applied())
        .end("always-1.grow", Verdict::Passed)
        .end("always-1", Verdict::Passed)
        .finish(Outcome::Undone, 5, |end| {
            end.class = Some(Class::Timeout);
            end.failed_step = Some(StepId("grow".into()));
            end.failure = Some(failure());
        })
}

fn meets_hostile_text() -> Story {
    Story::begin()
        .start("shout", "重启应用 \u{1b}]0;owned\u{7} ]]> <b>&", "exec")
        .note(Some("shout"), "\u{1b}[2J\u{0}cleared\nsecond line \u{202e}txt.exe")
        .after(5)
        .end("shout", Verdict::Errored(Failure::new(Class::Command, "exit 1: \u{1b}[31mred\u{8} ]]> </failure>")))
        .finish(Outcome::Failed, 1, |end| end.class = Some(Class::Command))
}

//! Figures of many small steps, beside the same requests by others.

use std::time::Duration;

use crate::book::Desk;
use crate::curl::{bare, curl};
use crate::server::Server;
use crate::table::{Table, in_turn, median, ms, us};
use crate::target::Target;
use crate::{child, client};

const STEPS: usize = 1_000;
const GET: &str = "get: {deployment: shop/web}";
const PATH: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

/// What a step costs beyond its request: a run, less one of a single step, less the requests by themselves.
///
/// The request by itself is one of runhub's own client; that of a bare socket is told beside it.
pub(crate) fn overhead(table: &mut Table) {
    let desk = Desk::new();
    let target = Server::of_deployment().target();
    let (one, many) = (desk.book(1, |_| GET.to_owned()), desk.book(STEPS + 1, |_| GET.to_owned()));
    let (mut socket, mut processor) = (Vec::new(), Vec::new());
    let (runs, requests) = in_turn(
        || {
            let short = child::timed(child::run(&one, &target, desk.path()));
            let before = child::processor_time();
            let long = child::timed(child::run(&many, &target, desk.path()));
            processor.push(child::processor_time().saturating_sub(before));
            long.saturating_sub(short)
        },
        || {
            socket.push(bare(&target, PATH, STEPS));
            client::reads(&target, STEPS)
        },
    );
    let (run, request) = (per_step(&runs), per_step(&requests));
    let note = format!(
        "{:.0} µs a step, {:.0} µs a request ({:.0} µs by a bare socket); {:.0} µs of processor time a step",
        us(run),
        us(request),
        us(per_step(&socket)),
        us(per_step(&processor)),
    );
    let figure = "engine overhead a step beyond the bare request";
    table.aimed(figure, us(run.saturating_sub(request)), (100.0, "µs"), &note);
}

fn per_step(times: &[Duration]) -> Duration {
    median(times) / u32::try_from(STEPS).unwrap_or(u32::MAX)
}

/// 1,000 steps against the simulator: inside the same process, and served by another.
pub(crate) fn simulator(table: &mut Table) {
    let desk = Desk::new();
    let book = desk.book(STEPS, |_| GET.to_owned());
    let served = Served::start();
    let (outside, others) = in_turn(
        || child::timed(child::run(&book, &served.target, desk.path())),
        || child::timed(curl(&desk, &served.target, PATH, STEPS)),
    );
    ratio(table, "1,000 steps, simulator in another process, to curl", &outside, &others);
    let (inside, others) = in_turn(
        || child::timed(child::run(&book, &Target::embedded(), desk.path())),
        || child::timed(curl(&desk, &served.target, PATH, STEPS)),
    );
    ratio(table, "1,000 steps, --sim, to curl and a served simulator", &inside, &others);
}

/// 1,000 steps against a real API server over TLS.
pub(crate) fn real(table: &mut Table) {
    let Some(target) = Target::real() else {
        table.plain("1,000 steps, real API server", "-", "RUNHUB_REAL_KUBECONFIG is not set");
        return;
    };
    let desk = Desk::new();
    let book = desk.book(STEPS, |_| "get: {namespace: default}".to_owned());
    let (ours, others) = in_turn(
        || child::timed(child::run(&book, &target, desk.path())),
        || child::timed(curl(&desk, &target, "/api/v1/namespaces/default", STEPS)),
    );
    ratio(table, "1,000 steps, real API server over TLS, to curl", &ours, &others);
}

fn ratio(table: &mut Table, figure: &str, ours: &[Duration], others: &[Duration]) {
    let (ours, others) = (median(ours), median(others));
    let note = format!("{:.0} ms to {:.0} ms", ms(ours), ms(others));
    table.aimed(figure, ours.as_secs_f64() / others.as_secs_f64(), (1.15, "x"), &note);
}

/// The simulator in this process, on a port.
struct Served {
    target: Target,
    _alive: (tokio::runtime::Runtime, runhub::simulator::Simulator, runhub::simulator::Serving),
}

impl Served {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (simulator, serving) = runtime.block_on(async {
            let world = runhub::simulator::scenario::Scenario::default();
            let simulator = runhub::simulator::Simulator::new(world, runhub::clock::Clock::system());
            let simulator = simulator.expect("the demo world");
            let serving = simulator.serve(0).await.expect("a port");
            (simulator, serving)
        });
        let token = simulator.token("alice").expect("the demo world has alice");
        let target = Target::control_hub(&serving.url, &token);
        Self { target, _alive: (runtime, simulator, serving) }
    }
}

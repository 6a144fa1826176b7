//! The release binary as a child process: its time, its memory, its lines.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::target::Target;

/// The binary that is measured.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_runhub");

/// `runhub run` of a book against a target, with its state in `state`.
pub(crate) fn run(book: &Path, target: &Target, state: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["run", "--yes"]).arg(book).args(target.options());
    command.env_clear().env("XDG_STATE_HOME", state).env("HOME", state).envs(target.variables());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// How long a command takes from spawn to end; it must pass.
pub(crate) fn timed(mut command: Command) -> Duration {
    let began = Instant::now();
    let output = command.output().expect("the command starts");
    let took = began.elapsed();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    took
}

/// The processor time of all children that have ended, user and system: what a busy machine does not stretch.
pub(crate) fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    // cutime and cstime, the 16th and 17th field of the line, in ticks of 10 ms.
    let ticks: u64 = fields.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// How much memory a command takes at its height, in bytes.
///
/// The kernel keeps the height; it is read again and again, because it goes away with the process.
pub(crate) fn peak_memory(mut command: Command) -> u64 {
    let mut child = command.stderr(Stdio::null()).spawn().expect("the command starts");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(height(&child));
        if let Some(status) = child.try_wait().expect("the command is ours") {
            break status;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    assert!(status.success(), "{command:?}: {status}");
    peak
}

fn height(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

//! The documented exit codes that are no outcome of a run (runbook-format §10).

/// All is well.
pub(super) const PASSED: u8 = 0;
/// Something failed.
pub(super) const FAILED: u8 = 1;
/// Wrong use of the command line.
pub(super) const USAGE: u8 = 2;
/// Runbook or inputs invalid; nothing was sent.
pub(super) const INVALID: u8 = 3;
/// Refused: nothing was sent.
pub(super) const REFUSED: u8 = 4;
/// No answer or login before the first change.
pub(super) const UNREACHABLE: u8 = 8;

/// Why a command stops, and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) message: String,
    pub(super) code: u8,
}

impl Stop {
    pub(super) fn new(code: u8, message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), code }
    }

    /// The command line cannot be followed.
    pub(super) fn usage(message: impl std::fmt::Display) -> Self {
        Self::new(USAGE, message)
    }

    /// There is no answer or no login.
    pub(super) fn login(message: impl std::fmt::Display) -> Self {
        Self::new(UNREACHABLE, message)
    }

    /// Something failed; its causes are told too.
    pub(super) fn failed(error: &dyn std::error::Error) -> Self {
        Self::new(FAILED, in_full(error))
    }
}

/// An error and what caused it, in one line.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
/// A taking-back failed or met a conflict.
pub(super) const UNDO_FAILED: u8 = 9;

/// Interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// The table, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0    passed
  1    failed
  2    wrong use of the command line
  3    runbook or inputs invalid; nothing was sent
  4    refused: budget, guard, permission, drift or no consent; no change was sent
  5    failed, and every applied change was taken back
  6    failed, and handled by the runbook's on-failure
  7    paused: waiting for a person, a login or a decision
  8    no answer or login before the first change
  9    a taking-back failed: a person must look
  130  interrupted";

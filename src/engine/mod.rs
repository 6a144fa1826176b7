//! The heart: carries a runbook out, step by step.
//!
//! [`run()`] takes an [`Order`] and the [`Doors`] to the outside, and always
//! comes back with a [`RunEnd`](crate::event::RunEnd): a step that went badly
//! is a result, never an `Err`. The engine emits events; it cannot print.
//!
//! | file | is |
//! |---|---|
//! | `order` | what is to be run, and the doors to the outside |
//! | `run` | the phases: requirements, consent, steps, on-failure, always, the end |
//! | `list`, `step`, `each`, `attempt` | a list of steps, one step, a loop, one try |
//! | `control/` | what steps do with the run itself |
//! | `names`, `frame` | what `inputs`, `vars`, `run`, `target` and `steps.<id>` mean |
//! | `outputs` | what a step keeps |
//! | `undo`, `undo_run` | taking back, newest first; and of a whole run, later |
//! | `past`, `resume` | what earlier processes did of a run, and going on from there |
//! | `pause` | waiting for a person, a login, a decision |
//! | `outcome` | the table of runbook-format §10 |
//! | `consent`, `gate`, `guards`, `preflight`, `requires` | what must be agreed or hold before a change |
//! | `plan/` | what a run would do |
//! | `cancel` | stopping |

mod attempt;
mod cancel;
mod consent;
mod control;
mod each;
mod frame;
mod gate;
mod guards;
mod list;
mod names;
mod order;
mod outcome;
mod outputs;
mod past;
mod pause;
mod plan;
mod preflight;
mod requires;
mod resume;
mod run;
mod step;
mod tags;
mod undo;
mod undo_run;

pub use cancel::Cancel;
pub use order::{Doors, Options, Order};
pub use outcome::exit_code;
pub use past::Past;
pub use plan::{Scout, Witness, plan, plan_hash};
pub use run::{book_hash, resume, run};
pub use tags::unpicked;
pub use undo_run::{UndoLine, Way, plan_undo, undo};

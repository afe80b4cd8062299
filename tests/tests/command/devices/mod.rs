//! Several devices of one user, hardware tokens, and clocks set right: the command and the module together.

mod choices;
mod pictures;
mod records;
mod renamed;
mod resync;
mod several;
mod tokens;
mod verbs;

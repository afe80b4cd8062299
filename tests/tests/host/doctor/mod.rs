//! `twinlock doctor`: a sound host gives nothing, and each planted fault is found where it stands. And its idea of PAM is
//! libpam's: the files of the command that read and walk a stack are compiled in here and tried against it.

mod crowd;
mod forms;
mod host;
mod libpam;
mod people;
mod planted;
mod server;

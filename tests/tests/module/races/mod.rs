//! Races by the hundred, and by the thousand in the long run: whatever is given at the same moment, one answer is accepted
//! once and nobody guesses more often than allowed. The same rounds on the peers, counted.

#[path = "../../security/contender.rs"]
#[allow(dead_code, reason = "the matrix needs more of it")]
mod contender;
mod course;
mod enrolling;
mod guesses;
mod one_code;
mod peers;

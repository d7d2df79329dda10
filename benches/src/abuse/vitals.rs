//! What a process holds, seen from outside.

use std::fmt;

use crate::program::Program;

/// Memory, threads and file descriptors at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Threads.
    pub threads: usize,
    /// File descriptors, sockets included.
    pub open_files: usize,
}

/// How much more may be left in the end than there was before.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Resident memory in bytes: what an allocator keeps for next time, and what the hub remembers
    /// of its own agents meanwhile.
    pub resident_bytes: u64,
    /// Threads: a pool may have one or two more that have not ended yet.
    pub threads: usize,
    /// File descriptors: a connection of an agent that is just being replaced.
    pub open_files: usize,
}

impl Vitals {
    /// What it holds now. An error if it has ended.
    pub fn of(program: &Program) -> anyhow::Result<Self> {
        Ok(Self {
            resident_bytes: program.resident_bytes()?,
            threads: program.threads()?,
            open_files: program.open_files()?,
        })
    }

    /// Whether it is back to what it was, but for so much.
    pub fn is_back_to(&self, before: &Self, allowance: &Allowance) -> bool {
        self.resident_bytes <= before.resident_bytes + allowance.resident_bytes
            && self.threads <= before.threads + allowance.threads
            && self.open_files <= before.open_files + allowance.open_files
    }

    /// The larger of each.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        Self {
            resident_bytes: self.resident_bytes.max(other.resident_bytes),
            threads: self.threads.max(other.threads),
            open_files: self.open_files.max(other.open_files),
        }
    }
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.resident_bytes as f64 / 1e6;
        write!(
            f,
            "{megabytes:.1} MB, {} threads, {} file descriptors",
            self.threads, self.open_files
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_anything_than_is_allowed_is_not_back() {
        let allowance = Allowance {
            resident_bytes: 100,
            threads: 1,
            open_files: 2,
        };
        let before = Vitals {
            resident_bytes: 1_000,
            threads: 5,
            open_files: 30,
        };
        let check = |resident_bytes, threads, open_files, expected| {
            let now = Vitals {
                resident_bytes,
                threads,
                open_files,
            };
            assert_eq!(now.is_back_to(&before, &allowance), expected, "{now:?}");
        };
        check(900, 4, 20, true);
        check(1_100, 6, 32, true);
        check(1_101, 6, 32, false);
        check(1_100, 7, 32, false);
        check(1_100, 6, 33, false);
    }
}

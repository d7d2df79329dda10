//! Bytes that many hold, and that are bounded together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bound, and how much of it is used.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    used: Arc<AtomicUsize>,
    max: usize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            used: Arc::default(),
            max,
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether so many more are within the bound.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.max
    }
}

/// What one holder uses, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: usize,
    budget: Budget,
}

impl Held {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { bytes: 0, budget }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Uses more, whether it is within the bound or not: ask before.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_holds_is_missing_for_others_until_it_is_gone() {
        let budget = Budget::new(100);
        let mut one = Held::new(budget.clone());
        one.take(60);
        assert!(budget.fits(40) && !budget.fits(41));
        let mut other = Held::new(budget.clone());
        other.take(60);
        assert!(!budget.fits(0));
        one.give(30);
        assert_eq!((one.bytes(), budget.used()), (30, 90));
        drop(one);
        drop(other);
        assert_eq!(budget.used(), 0);
    }
}

//! A number that many have a share in, and that is right also when they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One share of a total. Dropping it takes it out of the total.
#[derive(Debug)]
pub(crate) struct Tally {
    total: Arc<AtomicUsize>,
    own: usize,
}

impl Tally {
    pub(crate) fn new(total: Arc<AtomicUsize>) -> Self {
        Self { total, own: 0 }
    }

    /// Changes this share.
    pub(crate) fn set(&mut self, own: usize) {
        // Each share is added before it is taken away: the sum is never below zero.
        self.total.fetch_add(own, Ordering::Relaxed);
        self.total.fetch_sub(self.own, Ordering::Relaxed);
        self.own = own;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_the_sum_of_the_shares_that_live() {
        let total = Arc::default();
        let mut one = Tally::new(Arc::clone(&total));
        let mut two = Tally::new(Arc::clone(&total));
        one.set(3);
        two.set(4);
        one.set(1);
        assert_eq!(total.load(Ordering::Relaxed), 5);
        drop(two);
        assert_eq!(total.load(Ordering::Relaxed), 1);
    }
}

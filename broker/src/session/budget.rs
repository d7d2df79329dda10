//! Bytes that many hold, and that are bounded together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::origin::Standing;

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

    /// Whether anybody holds, or may come to hold, a part of it.
    pub(crate) fn has_holders(&self) -> bool {
        Arc::strong_count(&self.used) > 1
    }
}

/// What one holder uses, of one budget or of several at once. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: usize,
    budgets: Box<[Budget]>,
}

impl Held {
    pub(crate) fn new(budgets: impl Into<Box<[Budget]>>) -> Self {
        Self {
            bytes: 0,
            budgets: budgets.into(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether so many more are within all bounds.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.fits_beside(bytes, 0)
    }

    /// Whether they would be if this holder gave back all that it has.
    pub(crate) fn fits_instead(&self, bytes: usize) -> bool {
        self.fits_beside(bytes, self.bytes)
    }

    fn fits_beside(&self, bytes: usize, without: usize) -> bool {
        let mut budgets = self.budgets.iter();
        budgets.all(|budget| budget.used().saturating_sub(without) + bytes <= budget.max)
    }

    /// Uses more, whether it is within the bounds or not: ask before.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        for budget in &self.budgets {
            budget.used.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn give(&mut self, bytes: usize) {
        self.bytes -= bytes;
        for budget in &self.budgets {
            budget.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give(self.bytes);
    }
}

/// One bound for all users, of which a quarter is left to devices and services of the hub, and
/// one for each user.
#[derive(Debug)]
pub(crate) struct Pool {
    all: Budget,
    common: Budget,
    /// Of each user that has a holder.
    users: Mutex<HashMap<Box<str>, Budget>>,
    per_user_max: usize,
}

impl Pool {
    pub(crate) fn new(max: usize, per_user_max: usize) -> Self {
        Self {
            all: Budget::new(max),
            common: Budget::new(Standing::Common.part_of(max)),
            users: Mutex::default(),
            per_user_max,
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.all.used()
    }

    /// For what one of the user will hold.
    pub(crate) fn holder(&self, user: &str, standing: Standing) -> Held {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = users.get(user).cloned();
        let own = known.unwrap_or_else(|| {
            users.retain(|_, budget| budget.has_holders());
            let new = Budget::new(self.per_user_max);
            users.insert(user.into(), new.clone());
            new
        });
        match standing {
            Standing::Reserved => Held::new([self.all.clone(), own]),
            Standing::Common => Held::new([self.all.clone(), self.common.clone(), own]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_holds_is_missing_for_others_until_it_is_gone() {
        let (budget, own) = (Budget::new(100), Budget::new(70));
        let mut one = Held::new([budget.clone(), own.clone()]);
        one.take(60);
        assert!(one.fits(10) && !one.fits(11));
        assert!(one.fits_instead(70) && !one.fits_instead(71));
        let mut other = Held::new([budget.clone()]);
        assert!(other.fits(40) && !other.fits(41));
        other.take(60);
        assert!(!other.fits(0) && one.fits_instead(40) && !one.fits_instead(41));
        one.give(30);
        assert_eq!((one.bytes(), budget.used(), own.used()), (30, 90, 30));
        drop(one);
        drop(other);
        assert_eq!((budget.used(), own.used()), (0, 0));
        assert!(!own.has_holders());
    }
}

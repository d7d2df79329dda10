//! How many subscriptions there are, of each user and in all; right also when sessions end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// Users without any are not in it.
    users: Mutex<HashMap<Arc<str>, usize>>,
}

impl Subscriptions {
    pub(crate) fn total(&self) -> usize {
        self.users().values().sum()
    }

    pub(crate) fn of(&self, user: &str) -> usize {
        self.users().get(user).copied().unwrap_or(0)
    }

    /// A session's part, which is nothing yet.
    pub(crate) fn tally(self: &Arc<Self>, user: &str) -> Tally {
        Tally {
            all: self.clone(),
            user: user.into(),
            count: 0,
        }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of one session. Dropping it takes it out of the total.
#[derive(Debug)]
pub(crate) struct Tally {
    all: Arc<Subscriptions>,
    user: Arc<str>,
    count: usize,
}

impl Tally {
    /// Changes this part.
    pub(crate) fn set(&mut self, count: usize) {
        let mut users = self.all.users();
        let others = users.get(&self.user).map_or(0, |all| all - self.count);
        if others + count == 0 {
            users.remove(&self.user);
        } else {
            users.insert(self.user.clone(), others + count);
        }
        self.count = count;
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
    fn a_total_is_the_sum_of_the_parts_that_live() {
        let all = Arc::new(Subscriptions::default());
        let (mut one, mut two) = (all.tally("a"), all.tally("a"));
        let mut three = all.tally("b");
        one.set(3);
        two.set(4);
        three.set(2);
        one.set(1);
        assert_eq!((all.of("a"), all.of("b"), all.total()), (5, 2, 7));
        drop(two);
        assert_eq!((all.of("a"), all.total()), (1, 3));
        drop((one, three));
        assert!(all.users().is_empty());
    }
}

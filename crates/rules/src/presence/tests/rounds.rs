//! Seeded random rounds: whatever happens in whatever order, the conclusion is right in the end,
//! and nobody is said to be gone more often than somebody was.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::world::World;

/// So many are quick; a change of the engine deserves ten times as many.
const ROUNDS: u64 = 300;

fn check(seed: u64, round: impl FnOnce(&mut World, &mut StdRng)) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new(StdRng::seed_from_u64(seed.wrapping_add(1 << 32)));
    let outcome = catch_unwind(AssertUnwindSafe(|| round(&mut world, &mut rng)));
    assert!(outcome.is_ok(), "seed {seed}:\n{}", world.trace.join("\n"));
}

#[test]
fn the_conclusion_is_right_whatever_happens() {
    for seed in 0..ROUNDS {
        check(seed, |world, rng| {
            for _ in 0..4 {
                for _ in 0..rng.random_range(1..12) {
                    world.happens();
                }
                world.check();
            }
            assert_eq!(world.clones, 0, "nobody was cloned");
        });
    }
}

#[test]
fn a_clone_is_always_noticed_and_the_conclusion_is_right_afterwards() {
    for seed in 0..ROUNDS / 5 {
        check(seed, |world, rng| {
            for _ in 0..rng.random_range(1..8) {
                world.happens();
            }
            if world.can_fight() {
                world.clones_fight();
                assert_eq!(world.clones, 1);
            }
            world.check();
        });
    }
}

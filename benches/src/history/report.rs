//! The comparison as a table, with a column for each store, and whether the goals are met.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::store::Store;

/// What a number of ours should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// Less than so many times that of another in the same run.
    Below(f64, Store),
}

/// Everything that was measured, in the order in which it was.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// One thing that was measured.
#[derive(Debug)]
pub struct Row {
    name: String,
    unit: &'static str,
    values: BTreeMap<Store, f64>,
    goals: Vec<Goal>,
}

impl Row {
    /// Nothing is measured yet.
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            unit,
            values: BTreeMap::new(),
            goals: Vec::new(),
        }
    }

    /// What ours should be.
    #[must_use]
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// What one has.
    #[must_use]
    pub fn value(mut self, store: Store, value: f64) -> Self {
        self.values.insert(store, value);
        self
    }

    /// What one has, for one after another.
    pub fn set(&mut self, store: Store, value: f64) {
        self.values.insert(store, value);
    }

    /// None: there is nothing to compare with, or ours was not measured.
    fn is_met(&self, goal: Goal) -> Option<bool> {
        let ours = *self.values.get(&Store::Ours)?;
        match goal {
            Goal::AtMost(most) => Some(ours <= most),
            Goal::Below(times, store) => Some(ours < times * self.values.get(&store)?),
        }
    }
}

impl Goal {
    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most}"),
            Self::Below(times, store) if (times - 1.0).abs() < f64::EPSILON => {
                format!("less than {}", store.name())
            }
            Self::Below(times, store) => format!("less than {times} of {}", store.name()),
        }
    }
}

impl Report {
    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        tracing::info!(row = row.name, values = ?row.values, "measured");
        self.rows.push(row);
    }

    /// For people, as Markdown.
    pub fn table(&self) -> String {
        let names = Store::ALL.map(Store::name).join(" | ");
        let lines = "---:|".repeat(Store::ALL.len());
        let mut out = format!("| measured | {names} | goal |\n|---|{lines}---|\n");
        for row in &self.rows {
            let values = Store::ALL.map(|store| shown(row.values.get(&store).copied()));
            let goals: Vec<String> = row
                .goals
                .iter()
                .map(|goal| {
                    let verdict = match row.is_met(*goal) {
                        None => "not measured",
                        Some(true) => "met",
                        Some(false) => "**missed**",
                    };
                    format!("{}: {verdict}", goal.text())
                })
                .collect();
            // Writing to a String cannot fail.
            let _infallible = writeln!(
                out,
                "| {}, {} | {} | {} |",
                row.name,
                row.unit,
                values.join(" | "),
                goals.join("; ")
            );
        }
        out
    }

    /// A line for each goal: whether it is met, and by what.
    pub fn verdicts(&self) -> String {
        let mut out = String::new();
        for row in &self.rows {
            for goal in &row.goals {
                let Some(met) = row.is_met(*goal) else {
                    continue;
                };
                let verdict = if met { "met" } else { "MISSED" };
                let ours = shown(row.values.get(&Store::Ours).copied());
                let theirs = match goal {
                    Goal::Below(_, store) => {
                        format!(", which has {}", shown(row.values.get(store).copied()))
                    }
                    Goal::AtMost(_) => String::new(),
                };
                let (name, unit, goal) = (&row.name, row.unit, goal.text());
                // Writing to a String cannot fail.
                let _infallible =
                    writeln!(out, "{verdict}: {name}: {ours} {unit} ({goal}{theirs})");
            }
        }
        out
    }

    /// Whether no goal is missed of those that were measured.
    pub fn is_good(&self) -> bool {
        let missed = |row: &Row| {
            row.goals
                .iter()
                .any(|goal| row.is_met(*goal) == Some(false))
        };
        !self.rows.iter().any(missed)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let goals = row.goals.iter();
            let goals = goals.map(|goal| json!({"goal": goal.text(), "met": row.is_met(*goal)}));
            json!({
                "row": row.name,
                "unit": row.unit,
                "values": row.values,
                "goals": goals.collect::<Vec<_>>(),
            })
        });
        rows.collect()
    }
}

/// Three significant digits.
fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 || value == 0.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_missed_or_not_measured() {
        let check = |goal, ours: Option<f64>, verdicts: &str, good| {
            let mut row = Row::new("size", "bytes")
                .goal(goal)
                .value(Store::Victoria, 1.2);
            if let Some(ours) = ours {
                row.set(Store::Ours, ours);
            }
            let mut report = Report::default();
            report.add(row);
            assert_eq!(report.verdicts(), verdicts);
            assert_eq!(report.is_good(), good);
        };
        let below = Goal::Below(1.0, Store::Victoria);
        let line = "met: size: 0.820 bytes (less than VictoriaMetrics, which has 1.20)\n";
        check(below, Some(0.82), line, true);
        let line = "MISSED: size: 1.20 bytes (less than VictoriaMetrics, which has 1.20)\n";
        check(below, Some(1.2), line, false);
        check(below, None, "", true);
        check(Goal::Below(0.25, Store::Prometheus), Some(1.0), "", true);
        let line = "MISSED: size: 2.00 bytes (at most 1.5)\n";
        check(Goal::AtMost(1.5), Some(2.0), line, false);
    }
}

//! The comparison as a table: medians of all rounds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::compare::{Goal, Measured};
use crate::site::Kind;
use crate::stats::median;

/// The median of fewer rounds is too much a matter of what else the machine did.
const ROUNDS_MIN: usize = 3;

/// What was measured in all rounds, in the order in which rows first came.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    unit: &'static str,
    goal: Goal,
    values: BTreeMap<Kind, Vec<f64>>,
}

impl Report {
    /// Takes the numbers of one round.
    pub fn add(&mut self, kind: Kind, measured: Vec<Measured>) {
        for one in measured {
            let known = self.rows.iter().position(|row| row.name == one.row);
            let at = known.unwrap_or_else(|| {
                self.rows.push(Row {
                    name: one.row,
                    unit: one.unit,
                    goal: one.goal,
                    values: BTreeMap::new(),
                });
                self.rows.len() - 1
            });
            let values = &mut self.rows[at].values;
            values.entry(kind).or_default().push(one.value);
        }
    }

    /// For people, as Markdown.
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| measured | ours | mosquitto | ratio | goal | |\n|---|---:|---:|---:|---|---|\n",
        );
        for row in &self.rows {
            let unit = if row.unit.is_empty() {
                String::new()
            } else {
                format!(", {}", row.unit)
            };
            let goal = row.goal_text();
            let met = match row.verdict() {
                None => "",
                Some(true) => "met",
                Some(false) => "**missed**",
            };
            // Writing to a String cannot fail.
            let _infallible = writeln!(
                out,
                "| {}{unit} | {} | {} | {} | {goal} | {met} |",
                row.name,
                shown(row.median(Kind::Ours)),
                shown(row.median(Kind::Mosquitto)),
                shown(row.ratio()),
            );
        }
        out
    }

    /// A line for each goal: whether it is met, and by what. A median of fewer than three rounds
    /// is no verdict: such a line says that as well.
    pub fn verdicts(&self) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let Some(met) = row.verdict() else {
                continue;
            };
            let value = match row.goal {
                Goal::Ratio(_) => shown(row.ratio()),
                Goal::EachTime(_) => shown(row.worst()),
                Goal::AtMost(_) | Goal::None => shown(row.median(Kind::Ours)),
            };
            let verdict = match (met, row.is_judged()) {
                (true, true) => "met",
                (false, true) => "MISSED",
                (_, false) => "too few rounds",
            };
            let (name, unit, goal) = (&row.name, row.unit, row.goal_text());
            // Writing to a String cannot fail.
            let _infallible = writeln!(out, "{verdict}: {name} {unit}: {value} ({goal})");
        }
        out
    }

    /// Whether no goal is missed of those that can be judged.
    pub fn is_good(&self) -> bool {
        let mut judged = self.rows.iter().filter(|row| row.is_judged());
        judged.all(|row| row.verdict() != Some(false))
    }

    /// For programs, with every round.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "row": row.name,
                "unit": row.unit,
                "ours": row.median(Kind::Ours),
                "mosquitto": row.median(Kind::Mosquitto),
                "ratio": row.ratio(),
                "met": row.verdict(),
                "rounds": {
                    "ours": row.values.get(&Kind::Ours),
                    "mosquitto": row.values.get(&Kind::Mosquitto),
                },
            })
        });
        rows.collect()
    }
}

impl Row {
    fn median(&self, kind: Kind) -> Option<f64> {
        median(self.values.get(&kind)?)
    }

    fn ratio(&self) -> Option<f64> {
        let ratio = self.median(Kind::Ours)? / self.median(Kind::Mosquitto)?;
        ratio.is_finite().then_some(ratio)
    }

    /// The most of ours; none if there is nothing.
    fn worst(&self) -> Option<f64> {
        let ours = self.values.get(&Kind::Ours)?;
        ours.iter().copied().max_by(f64::total_cmp)
    }

    /// None: there is no goal. What could not be measured is missed.
    fn verdict(&self) -> Option<bool> {
        let (value, most) = match self.goal {
            Goal::None => return None,
            Goal::Ratio(most) => (self.ratio(), most),
            Goal::AtMost(most) => (self.median(Kind::Ours), most),
            Goal::EachTime(most) => (self.worst(), most),
        };
        Some(value.is_some_and(|value| value <= most))
    }

    /// Whether there is enough to judge by.
    fn is_judged(&self) -> bool {
        let rounds = self.values.get(&Kind::Ours).map_or(0, Vec::len);
        rounds >= ROUNDS_MIN || matches!(self.goal, Goal::EachTime(_))
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::None => String::new(),
            Goal::Ratio(most) => format!("ratio at most {most}"),
            Goal::AtMost(most) => format!("at most {most}"),
            Goal::EachTime(most) => format!("at most {most} each time"),
        }
    }
}

/// Three significant digits.
fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 || value == 0.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(goal: Goal, rounds: &[(f64, f64)]) -> Report {
        let mut report = Report::default();
        for (ours, theirs) in rounds {
            for (kind, value) in [(Kind::Ours, *ours), (Kind::Mosquitto, *theirs)] {
                let measured = Measured {
                    row: "CPU".to_owned(),
                    unit: "us",
                    value,
                    goal,
                };
                report.add(kind, vec![measured]);
            }
        }
        report
    }

    #[test]
    fn the_table_has_medians_their_ratio_and_whether_the_goal_is_met() {
        let rounds = [(9.0, 20.0), (8.0, 10.0), (1.0, 20.0)];
        let table = report(Goal::Ratio(0.5), &rounds).table();
        let row = table.lines().nth(2);
        assert_eq!(
            row,
            Some("| CPU, us | 8.00 | 20.0 | 0.40 | ratio at most 0.5 | met |")
        );
    }

    #[test]
    fn a_goal_is_judged_by_the_median_of_three_rounds_or_by_the_worst_of_any() {
        let check = |goal, rounds: &[(f64, f64)], expected: &str, good| {
            let report = report(goal, rounds);
            let verdicts = report.verdicts();
            assert!(verdicts.starts_with(expected), "{verdicts}");
            assert_eq!(report.is_good(), good, "{verdicts}");
        };
        let noisy = [(9.0, 10.0), (4.0, 10.0), (4.0, 10.0)];
        check(Goal::Ratio(0.5), &noisy, "met: CPU us: 0.40", true);
        check(Goal::Ratio(0.3), &noisy, "MISSED: CPU us: 0.40", false);
        check(Goal::AtMost(3.0), &noisy, "MISSED: CPU us: 4.00", false);
        check(Goal::AtMost(3.0), &noisy[..2], "too few rounds", true);
        check(Goal::EachTime(5.0), &noisy, "MISSED: CPU us: 9.00", false);
        check(Goal::EachTime(5.0), &noisy[..1], "MISSED", false);
        // Nothing to compare with.
        check(
            Goal::Ratio(0.5),
            &[(1.0, 0.0); 3],
            "MISSED: CPU us: -",
            false,
        );
    }
}

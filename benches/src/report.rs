//! The comparison as a table: medians of all rounds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::compare::{Goal, Measured};
use crate::site::Kind;
use crate::stats::median;

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
            let goal = match row.goal {
                Goal::None => String::new(),
                Goal::Ratio(most) => format!("ratio at most {most}"),
                Goal::AtMost(most) => format!("at most {most}"),
            };
            let met = row
                .met()
                .map_or("", |met| if met { "met" } else { "**missed**" });
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

    /// For programs, with every round.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "row": row.name,
                "unit": row.unit,
                "ours": row.median(Kind::Ours),
                "mosquitto": row.median(Kind::Mosquitto),
                "ratio": row.ratio(),
                "met": row.met(),
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

    fn met(&self) -> Option<bool> {
        match self.goal {
            Goal::None => None,
            Goal::Ratio(most) => self.ratio().map(|ratio| ratio <= most),
            Goal::AtMost(most) => self.median(Kind::Ours).map(|ours| ours <= most),
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

    #[test]
    fn the_table_has_medians_their_ratio_and_whether_the_goal_is_met() {
        let mut report = Report::default();
        let measured = |value| Measured {
            row: "CPU".to_owned(),
            unit: "us",
            value,
            goal: Goal::Ratio(0.5),
        };
        for (ours, theirs) in [(9.0, 20.0), (8.0, 10.0), (1.0, 20.0)] {
            report.add(Kind::Ours, vec![measured(ours)]);
            report.add(Kind::Mosquitto, vec![measured(theirs)]);
        }
        let table = report.table();
        let row = table.lines().nth(2);
        assert_eq!(
            row,
            Some("| CPU, us | 8.00 | 20.0 | 0.40 | ratio at most 0.5 | met |")
        );
    }
}

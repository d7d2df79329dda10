//! `install.sh`, which a new machine gets from the hub and runs.

use super::Program;

/// Made complete with the programs that there are, and nothing else.
const TEMPLATE: &str = include_str!("install.sh");

/// Where they belong in the template.
const PROGRAMS: &str = "@PROGRAMS@";

/// The script for these programs.
pub(super) fn of(programs: &[Program]) -> String {
    let lines: Vec<_> = programs
        .iter()
        .map(|program| format!("{} {}", program.target.as_str(), program.sha256))
        .collect();
    TEMPLATE.replace(PROGRAMS, &lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Target;

    #[test]
    fn the_script_has_the_programs_and_is_else_the_template() {
        let program = |target| Program {
            target,
            bytes: 1,
            sha256: "ab12".to_owned(),
        };
        let script = of(&[program(Target::X86_64), program(Target::Armv7)]);
        let expected = "\nPROGRAMS='x86_64-linux ab12\narmv7-linux ab12'\n";
        assert!(script.contains(expected), "{script}");
        assert_eq!(
            script.lines().count(),
            TEMPLATE.lines().count() + 1,
            "{script}"
        );
        assert_eq!(TEMPLATE.matches(PROGRAMS).count(), 1);
    }
}

/** A line of a chart: its name in the history, its label, and which of the six colours it has. */
export interface Line {
  name: string;
  label: string;
  color: number;
}

/**
 * The lines for all series of these kinds (`['rx', 'tx']`), subject by subject, so that what
 * belongs together stands together. Colours follow the order of the names, so that a mount or an
 * interface has the same one every time. At most `max`, whole subjects only.
 */
export function linesOf(
  names: readonly string[],
  kinds: readonly string[],
  max: number,
  label: (kind: string, subject: string) => string,
): Line[] {
  const subjects = new Set<string>();
  for (const name of names) {
    const kind = kinds.find((candidate) => name.startsWith(`${candidate}:`));
    if (kind !== undefined) subjects.add(name.slice(kind.length + 1));
  }
  return [...subjects]
    .sort()
    .slice(0, Math.floor(max / kinds.length))
    .flatMap((subject) => kinds.map((kind) => ({ kind, subject, name: `${kind}:${subject}` })))
    .map(({ kind, subject, name }, at) => ({ name, label: label(kind, subject), color: at + 1 }));
}

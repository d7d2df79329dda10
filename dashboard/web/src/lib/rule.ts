/** A rule as topics and addresses name it, e.g. `disk-var-log`, and what it is about. */
export interface Rule {
  kind: string;
  /** The mount point or the service. */
  target?: string;
}

/** Kinds of which a device may have several, the longest first. */
const WITH_TARGET = ['disk-trend', 'service', 'inodes', 'disk'];

/** Begins a mount point that is written as it is. */
const WHOLE = '~2f';

/** Takes a rule's name apart; one that is not understood is a kind of its own. */
export function readRule(name: string): Rule {
  const kind = WITH_TARGET.find((it) => name.startsWith(`${it}-`));
  if (!kind) return { kind: name };
  const rest = name.slice(kind.length + 1);
  if (kind === 'service') return { kind, target: unescape(rest) };
  if (rest === 'root') return { kind, target: '/' };
  if (rest.startsWith(WHOLE)) return { kind, target: unescape(rest.slice(WHOLE.length)) };
  return { kind, target: '/' + rest.split('-').map(unescape).join('/') };
}

/** `~` and two hexadecimal digits for each byte. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('%', '%25').replaceAll('~', '%'));
  } catch {
    return text;
  }
}

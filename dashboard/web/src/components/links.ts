import type { NetworkUse } from '../api/types';
import type { Words } from './words';

/** What is known of the link of an interface, part by part: `1 Gbit/s`, `signal -61 dBm`. */
export function linkParts(use: NetworkUse, { t, f }: Words): { text: string; title?: string }[] {
  const parts: { text: string; title?: string }[] = [];
  if (use.link === false) parts.push({ text: t.tables.noLink });
  else if (use.link_mbit_per_sec !== undefined && use.link_mbit_per_sec > 0) {
    parts.push({ text: f.linkSpeed(use.link_mbit_per_sec) });
  }
  if (use.link !== false && use.signal_dbm !== undefined) {
    parts.push({ text: t.tables.signal(f.dbm(use.signal_dbm)) });
  }
  const [received, sent] = [use.receive_errors ?? 0, use.send_errors ?? 0];
  if (received + sent > 0) {
    parts.push({
      text: t.tables.errors(received + sent, f.count(received + sent)),
      title: t.tables.errorsOf(f.count(received), f.count(sent)),
    });
  }
  if (use.dropped !== undefined) parts.push({ text: t.tables.dropped(f.count(use.dropped)) });
  return parts;
}

/** The log, with filters and pages, for all who look at this mock. */
import { matches, type LeastSeverity } from '../src/lib/log-filter.ts';
import { send, type Part } from './http.ts';
import { eventsAt } from './hub.ts';

export const answerLog: Part = ({ what, query, response, scenario }) => {
  const before = query.get('before');
  if (what === 'DELETE /events') {
    send(response, { lines: 42 });
    return true;
  }
  if (what !== 'GET /events') return false;
  const limit = Number(query.get('limit') ?? 50);
  const kinds = query.getAll('kind');
  const severity = query.get('severity') as LeastSeverity | null;
  const from = query.get('from');
  const all = eventsAt(scenario, query.get('device'))
    .filter((event) => kinds.length === 0 || kinds.includes(event.kind))
    .filter((event) => before === null || (event.id ?? 0) < Number(before))
    .filter((event) => from === null || event.time >= from)
    .filter((event) =>
      matches(event, {
        ...(severity && { severity }),
        ...(query.get('text') && { text: query.get('text') ?? '' }),
      }),
    );
  const items = all.slice(0, limit);
  const next = all.length > limit ? String(items.at(-1)?.id) : null;
  send(response, { items, next });
  return true;
};

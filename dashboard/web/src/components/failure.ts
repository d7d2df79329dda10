import { Problem } from '../api/client';
import type { Words } from './words';

/** What went wrong, and what to do, in the reader's language. */
export function failure(cause: unknown, { t, f }: Words): string {
  if (!(cause instanceof Problem)) return t.errors.unreachable;
  if (cause.status === 403) return t.errors.forbidden;
  if (cause.status === 412) return t.errors.changedMeanwhile;
  if (cause.status === 429) {
    return cause.retryAfterSecs === null
      ? t.errors.tooManySoon
      : t.errors.tooMany(f.duration(cause.retryAfterSecs));
  }
  return t.errors.server(cause.detail);
}

/** A hub that ended a stream may be there: it does so when it stops, or the reader is too slow. */
const REOPEN_MS = 500;
/** A stream that lasted this long was not one of a reader that is always too slow. */
const LASTING_MS = 30_000;
/** A hub that did not answer, or refused, is asked no more often. */
const RETRY_MS = 4_000;
/** One that ended streams soon after it opened them is asked less and less, down to this. */
const LONGEST_MS = 60_000;

/** When a stream that was lost is opened again. `now` is in ms, of a clock that never steps. */
export class Reopening {
  #openedAt: number | undefined;
  #next = RETRY_MS;

  opened(now: number): void {
    this.#openedAt = now;
  }

  /** The stream is lost: so many ms to wait. */
  lost(now: number): number {
    const openedAt = this.#openedAt;
    this.#openedAt = undefined;
    if (openedAt === undefined) return RETRY_MS;
    const lasted = now - openedAt >= LASTING_MS;
    const wait = lasted ? REOPEN_MS : this.#next;
    this.#next = lasted ? RETRY_MS : Math.min(2 * wait, LONGEST_MS);
    return wait;
  }
}

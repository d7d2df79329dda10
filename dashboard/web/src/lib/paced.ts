/** Work that is asked for more often than it shall be done. */
export interface Paced {
  /** Does it, at once or when it may be done again. */
  ask: () => void;
  /** It is not done any more. */
  stop: () => void;
}

/** One at a time, and `restMs` after the one before has ended. */
export function paced(work: () => Promise<void>, restMs: number): Paced {
  let busy = false;
  let asked = false;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rested = () => {
    busy = false;
    if (asked) ask();
  };
  function ask() {
    if (stopped) return;
    asked = busy;
    if (busy) return;
    busy = true;
    void work().finally(() => {
      if (!stopped) timer = setTimeout(rested, restMs);
    });
  }
  return {
    ask,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

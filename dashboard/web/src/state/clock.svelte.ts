/** A clock that differs less is not worth correcting: the answer itself took a moment. */
const TOLERANCE_MS = 2_000;

/** The time by the hub's clock, to the second: what "4 min ago" counts from. */
class Clock {
  now = $state(Date.now());
  #offset = 0;

  constructor() {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.#tick();
    }, 1000);
    document.addEventListener('visibilitychange', () => {
      this.#tick();
    });
  }

  /** The hub said what time it is: the browser's clock may be off. */
  set(hubTime: number): void {
    const offset = hubTime - Date.now();
    this.#offset = Math.abs(offset) > TOLERANCE_MS ? offset : 0;
    this.#tick();
  }

  #tick(): void {
    this.now = Date.now() + this.#offset;
  }
}

export const clock = new Clock();

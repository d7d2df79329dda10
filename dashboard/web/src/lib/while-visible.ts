/** A page that can be hidden behind others: `document`. */
export interface Page extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly visibilityState: string;
}

/**
 * Does something at once and then every so often, while the page is visible, until the returned
 * function is called. `again`: the page is visible again, or it is the first time.
 */
export function whileVisible(
  work: (again: boolean) => void,
  everyMs: number,
  page: Page = document,
): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const follow = () => {
    if (page.visibilityState !== 'visible') {
      stop();
    } else if (timer === undefined) {
      work(true);
      timer = setInterval(() => {
        work(false);
      }, everyMs);
    }
  };
  page.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    page.removeEventListener('visibilitychange', follow);
    stop();
  };
}

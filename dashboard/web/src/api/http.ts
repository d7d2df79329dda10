import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './__generated__/schema';

/** An answer that is not the one asked for. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** What the hub says about it, in English. */
    readonly detail: string,
    readonly retryAfterSecs: number | null,
  ) {
    super(detail);
    this.name = 'Problem';
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('the hub does not answer', { cause });
    this.name = 'Unreachable';
  }
}

/** Longer than the slowest query, short enough to notice a hub that is gone. */
const TIMEOUT_MS = 20_000;

export const client = createClient<paths>({
  baseUrl: '/api/v1',
  // A page of another origin cannot send this without being asked first.
  headers: { 'X-Requested-With': 'netmonitor' },
  fetch: (request) => fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }),
});

let sessionEnded: () => void = () => undefined;

/** Says whom to tell when the hub no longer knows this session. */
export function onSessionEnded(listener: () => void): void {
  sessionEnded = listener;
}

const watchSession: Middleware = {
  onResponse({ response, schemaPath }) {
    // A 401 from login means a wrong password; account is how we ask whether there is a session.
    if (response.status === 401 && schemaPath !== '/login' && schemaPath !== '/account') {
      sessionEnded();
    }
  },
};
client.use(watchSession);

export interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

export async function answer<T>(asked: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await asked;
  } catch (cause) {
    throw new Unreachable(cause);
  }
  const { data, error, response } = got;
  if (response.ok) return data as T;
  const retry = Number(response.headers.get('Retry-After') ?? Number.NaN);
  throw new Problem(
    response.status,
    detailOf(error) ?? response.statusText,
    Number.isFinite(retry) ? retry : null,
  );
}

function detailOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { detail, title } = error as { detail?: unknown; title?: unknown };
  if (typeof detail === 'string') return detail;
  return typeof title === 'string' ? title : null;
}

/** What was read, and the name of its state for a change that is made to it (`If-Match`). */
export interface Tagged<T> {
  value: T;
  tag: string;
}

export async function tagged<T>(asked: Promise<Answer<T>>): Promise<Tagged<T>> {
  const value = await answer(asked);
  const { response } = await asked;
  return { value, tag: response.headers.get('ETag') ?? '*' };
}

/** The header of a change that is made only to this state: 412 if somebody else has changed it since. */
export function onlyIf(tag: string): { 'If-Match': string } {
  return { 'If-Match': tag };
}

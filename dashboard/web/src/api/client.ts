import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './__generated__/schema';
import type {
  Account,
  Device,
  Event,
  History,
  Hub,
  JoinCode,
  ProcessList,
  ServiceList,
  Settings,
  SettingsChange,
  SetupState,
} from './types';

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

const client = createClient<paths>({
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

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

async function answer<T>(asked: Promise<Answer<T>>): Promise<T> {
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

export function getSetup(token: string | null): Promise<SetupState> {
  return answer(client.GET('/setup', { params: { query: token === null ? {} : { token } } }));
}

export function setUp(token: string, name: string, password: string): Promise<Account> {
  return answer(client.POST('/setup', { body: { token, name, password } }));
}

export function logIn(name: string, password: string): Promise<Account> {
  return answer(client.POST('/login', { body: { name, password } }));
}

export async function logOut(): Promise<void> {
  await answer(client.POST('/logout'));
}

/** Who is logged in; `null` when nobody is. */
export async function getAccount(): Promise<Account | null> {
  try {
    return await answer(client.GET('/account'));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

export async function getDevices(): Promise<Device[]> {
  return (await answer(client.GET('/devices'))).items;
}

export function getDevice(id: string): Promise<Device> {
  return answer(client.GET('/devices/{id}', { params: { path: { id } } }));
}

export async function removeDevice(id: string): Promise<void> {
  await answer(client.DELETE('/devices/{id}', { params: { path: { id } } }));
}

export function getServices(id: string): Promise<ServiceList> {
  return answer(client.GET('/devices/{id}/services', { params: { path: { id } } }));
}

/** Says that someone looks: the agent tells its processes for a minute. */
export async function watchDevice(id: string): Promise<void> {
  await answer(client.POST('/devices/{id}/watch', { params: { path: { id } } }));
}

/** The processes that were told last. */
export function getProcesses(id: string): Promise<ProcessList> {
  return answer(client.GET('/devices/{id}/processes', { params: { path: { id } } }));
}

export function getHistory(id: string, from: number, to: number, points: number): Promise<History> {
  const query = {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    points,
  };
  return answer(client.GET('/devices/{id}/history', { params: { path: { id }, query } }));
}

export async function getEvents(device: string | null, limit: number): Promise<Event[]> {
  const query = device === null ? { limit } : { device, limit };
  return (await answer(client.GET('/events', { params: { query } }))).items;
}

export function getHub(): Promise<Hub> {
  return answer(client.GET('/hub'));
}

/** The settings, and the name of their state for a change that is made to them. */
export interface TaggedSettings {
  settings: Settings;
  tag: string;
}

export function getSettings(): Promise<TaggedSettings> {
  return tagged(client.GET('/settings'));
}

/** Changes settings, unless somebody else has done so since they had this tag (412). */
export function changeSettings(change: SettingsChange, tag: string): Promise<TaggedSettings> {
  const params = { header: { 'If-Match': tag } };
  return tagged(client.PATCH('/settings', { params, body: change }));
}

async function tagged(asked: Promise<Answer<Settings>>): Promise<TaggedSettings> {
  const settings = await answer(asked);
  const { response } = await asked;
  return { settings, tag: response.headers.get('ETag') ?? '*' };
}

export function addJoinCode(): Promise<JoinCode> {
  return answer(client.POST('/join-codes', { body: {} }));
}

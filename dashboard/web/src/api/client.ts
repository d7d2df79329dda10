import { answer, client, onlyIf, Problem, tagged, type Tagged } from './http';
import type {
  Account,
  Device,
  History,
  Hub,
  JoinCode,
  ProcessList,
  ServiceList,
  Settings,
  SettingsChange,
  SetupState,
} from './types';

export { onSessionEnded, Problem, Unreachable } from './http';

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

export function getHub(): Promise<Hub> {
  return answer(client.GET('/hub'));
}

export function getSettings(): Promise<Tagged<Settings>> {
  return tagged(client.GET('/settings'));
}

/** Changes settings, unless somebody else has done so since they had this tag (412). */
export function changeSettings(change: SettingsChange, tag: string): Promise<Tagged<Settings>> {
  const params = { header: onlyIf(tag) };
  return tagged(client.PATCH('/settings', { params, body: change }));
}

export function addJoinCode(): Promise<JoinCode> {
  return answer(client.POST('/join-codes', { body: {} }));
}

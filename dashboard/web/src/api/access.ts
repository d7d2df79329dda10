import { answer, client } from './http';
import type { MqttRole, MqttUser, Role, Token, User } from './types';

/** Changes one's own password: all other browsers are logged out. 403: the old one is wrong. */
export async function changePassword(old: string, password: string): Promise<void> {
  await answer(client.POST('/account/password', { body: { old, new: password } }));
}

/** Ends every session of whoever asks, this one included. */
export async function logOutEverywhere(): Promise<void> {
  await answer(client.POST('/account/logout-everywhere'));
}

export async function getUsers(): Promise<User[]> {
  return (await answer(client.GET('/users'))).items;
}

export async function addUser(name: string, role: Role, password: string): Promise<void> {
  await answer(client.POST('/users', { body: { name, role, password } }));
}

export async function changeRole(name: string, role: Role): Promise<void> {
  await answer(client.PATCH('/users/{name}', { params: { path: { name } }, body: { role } }));
}

/** Sets the password of somebody else, who is logged out everywhere. */
export async function setPassword(name: string, password: string): Promise<void> {
  const params = { path: { name } };
  await answer(client.PUT('/users/{name}/password', { params, body: { password } }));
}

export async function removeUser(name: string): Promise<void> {
  await answer(client.DELETE('/users/{name}', { params: { path: { name } } }));
}

export async function getTokens(): Promise<Token[]> {
  return (await answer(client.GET('/tokens'))).items;
}

/** Makes a token; the token itself, which is told only now. `expires`: null lasts for ever. */
export async function addToken(name: string, role: Role, expires: Date | null): Promise<string> {
  const body = { name, role, ...(expires && { expires: expires.toISOString() }) };
  return (await answer(client.POST('/tokens', { body }))).token;
}

export async function removeToken(name: string): Promise<void> {
  await answer(client.DELETE('/tokens/{name}', { params: { path: { name } } }));
}

export async function getMqttUsers(): Promise<MqttUser[]> {
  return (await answer(client.GET('/mqtt-users'))).items;
}

/** Makes a user of the broker; its password, which is told only now. */
export async function addMqttUser(name: string, role: MqttRole): Promise<string> {
  return (await answer(client.POST('/mqtt-users', { body: { name, role } }))).password;
}

export async function removeMqttUser(name: string): Promise<void> {
  await answer(client.DELETE('/mqtt-users/{name}', { params: { path: { name } } }));
}

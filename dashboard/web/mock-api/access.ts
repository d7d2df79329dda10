/** People, tokens and MQTT users, for all who look at this mock. */
import type { MqttUser, Role, Token, User } from '../src/api/types.ts';
import { bodyOf, problem, send, type Part } from './http.ts';
import { STARTED } from './world.ts';

const DAY = 86_400_000;
const at = (days: number) => new Date(STARTED + days * DAY).toISOString();

const users: User[] = [
  { name: 'marie', role: 'admin', created: at(-300), last_login: at(0) },
  { name: 'paul', role: 'operator', created: at(-120), last_login: at(-2) },
  { name: 'accueil', role: 'viewer', created: at(-4) },
];
const tokens: Token[] = [
  { name: 'node-red', role: 'viewer', created: at(-0.1) },
  { name: 'prometheus', role: 'viewer', created: at(-80), expires: at(285) },
  { name: 'script of the trainee', role: 'operator', created: at(-200), expires: at(-20) },
];
const mqttUsers: MqttUser[] = [
  { name: 'homeassistant', role: 'operator', created: at(-90), publish: [], subscribe: [] },
  { name: 'greenhouse', created: at(-30), publish: ['greenhouse/#'], subscribe: [] },
];

const LISTS: Record<string, { name: string }[]> = {
  users,
  tokens,
  'mqtt-users': mqttUsers,
};

export const answerAccess: Part = async ({ what, request, response }) => {
  if (what === 'POST /account/password') {
    const { old } = await bodyOf(request);
    if (old === 'wrong') problem(response, 403, 'The old password is wrong.');
    else send(response, undefined, 204);
    return true;
  }
  const [, method = '', list = '', name, part] =
    /^(\w+) \/(users|tokens|mqtt-users)(?:\/([^/]+))?(\/password)?$/.exec(what) ?? [];
  const items = LISTS[list];
  if (!items) return false;
  if (part) send(response, undefined, 204);
  else if (method === 'GET') send(response, { items, next: null });
  else if (method === 'DELETE') {
    const index = items.findIndex((item) => item.name === decodeURIComponent(name ?? ''));
    items.splice(index, 1);
    send(response, undefined, 204);
  } else if (method === 'POST') {
    const body = await bodyOf<{ name: string; role: Role }>(request);
    const made = { name: body.name, role: body.role, created: new Date().toISOString() };
    items.push(list === 'mqtt-users' ? Object.assign(made, { publish: [], subscribe: [] }) : made);
    const secret = 'u4lRZx0k9QmT2vYbN7cPwE5sDfGhJ8iLoA1zXqWeRtY';
    send(response, { name: body.name, token: secret, password: secret });
  } else {
    const found = users.find((user) => user.name === decodeURIComponent(name ?? ''));
    const { role } = await bodyOf<{ role: Role }>(request);
    if (found) found.role = role;
    send(response, found);
  }
  return true;
};

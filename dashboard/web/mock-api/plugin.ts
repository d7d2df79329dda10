/** Answers as the hub would, for `npm run dev`, `npm run preview` and the pictures. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';
import type { Live, SettingsChange } from '../src/api/types.ts';
import { answerAccess } from './access.ts';
import { answerAlerts } from './alerts.ts';
import { answerChannels } from './channels.ts';
import { answerDeviceSettings } from './device-settings.ts';
import { historyOf } from './history.ts';
import { bodyOf, cookies, problem, scenarioOf, send, type Part } from './http.ts';
import { eventsAt, hubAt, settings } from './hub.ts';
import { answerLog } from './log.ts';
import { isWatched, lastProcesses, processesAt, watch } from './processes.ts';
import { answerRules } from './rules.ts';
import { devicesAt, INTERVAL_MS, metricsAt, servicesOf, type Scenario } from './world.ts';

const BASE = '/api/v1';
const TOKEN = 'let-me-in';

const LOST_AFTER_MS = 1_000;

const PARTS: Part[] = [
  answerAccess,
  answerAlerts,
  answerChannels,
  answerDeviceSettings,
  answerLog,
  answerRules,
];

/** What the api sends with the pages: the built UI must run under it. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

function logIn(response: ServerResponse, name: string): void {
  response.setHeader('Set-Cookie', 'session=1; Path=/; HttpOnly; SameSite=Strict');
  send(response, { name, role: 'admin' });
}

function installCommand(code: string): string {
  const hub = 'http://192.168.1.2:8080';
  const sha256 = '3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed';
  return (
    `(curl -fsS ${hub}/api/v1/agents/install.sh -o nm-install.sh || ` +
    `wget -q ${hub}/api/v1/agents/install.sh -O nm-install.sh) && ` +
    `echo "${sha256}  nm-install.sh" | sha256sum -c - && ` +
    `$(command -v sudo) sh nm-install.sh ${hub} ${code}`
  );
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock');
  const path = url.pathname.slice(BASE.length);
  const scenario = scenarioOf(request);
  const inside = cookies(request).has('session') && scenario !== 'setup';
  const query = url.searchParams;
  const method = request.method ?? 'GET';
  if (method !== 'GET' && request.headers['x-requested-with'] !== 'netmonitor') {
    problem(response, 403, 'the header X-Requested-With is missing');
    return;
  }
  switch (`${method} ${path}`) {
    case 'GET /setup': {
      const token = query.get('token');
      const needed = scenario === 'setup';
      send(response, token === null ? { needed } : { needed, token_valid: token === TOKEN });
      return;
    }
    case 'POST /setup':
      logIn(response, (await bodyOf(request))['name'] ?? '');
      return;
    case 'POST /login': {
      const { name = '', password } = await bodyOf(request);
      if (password === 'wrong') problem(response, 401, 'wrong name or password');
      else logIn(response, name);
      return;
    }
    case 'POST /logout':
      response.setHeader('Set-Cookie', 'session=; Path=/; Max-Age=0');
      send(response, undefined, 204);
      return;
  }
  if (!inside) {
    problem(response, 401, 'not logged in');
    return;
  }
  const call = {
    request,
    response,
    what: `${method} ${path}`,
    path,
    query,
    scenario,
    now: Date.now(),
  };
  for (const part of PARTS) if (await part(call)) return;
  const device = /^\/devices\/([^/]+)(\/history|\/services|\/watch|\/processes)?$/.exec(path);
  const now = Date.now();
  if (device) {
    const [, id = '', part] = device;
    const found = devicesAt(scenario, now).find((candidate) => candidate.id === id);
    if (!found) problem(response, 404, 'no such device');
    else if (method === 'DELETE') send(response, undefined, 204);
    else if (part === '/watch') {
      watch(id, now);
      send(response, undefined, 204);
    } else if (part === '/processes') send(response, lastProcesses(id, now));
    else if (part === '/services') send(response, servicesOf(id));
    else if (part === '/history') {
      const from = Date.parse(query.get('from') ?? '') || now - 3_600_000;
      const to = Date.parse(query.get('to') ?? '') || now;
      send(response, historyOf(id, from, to, Number(query.get('points') ?? 500)));
    } else send(response, found);
    return;
  }
  switch (`${method} ${path}`) {
    case 'GET /account':
      send(response, { name: 'marie', role: 'admin' });
      return;
    case 'GET /devices':
      send(response, { items: devicesAt(scenario, now), next: null });
      return;
    case 'GET /events':
      send(response, { items: eventsAt(scenario, query.get('device')), next: null });
      return;
    case 'GET /hub':
      send(response, hubAt(scenario, now));
      return;
    case 'POST /join-codes': {
      const code = 'nm1-9vbRk2mT5cQ8yZ3dWnHs7LpXf4GjUaKe6tBoCiMwYxRv1qDzSgNhJ0uEl-192.168.1.2.8883';
      send(response, {
        code,
        command: `netmonitor-agent join ${code}`,
        // As from a hub that has no agent to hand out.
        ...(scenario !== 'empty' && { install_command: installCommand(code) }),
        expires: new Date(now + 900_000).toISOString(),
      });
      return;
    }
    case 'GET /settings':
      response.setHeader('ETag', etag());
      send(response, settings);
      return;
    case 'PATCH /settings': {
      const change = await bodyOf<SettingsChange>(request);
      if (request.headers['if-match'] !== etag()) problem(response, 412, 'changed meanwhile');
      else {
        Object.assign(settings.history, change.history);
        settings.history.revision += 1;
        response.setHeader('ETag', etag());
        send(response, settings);
      }
      return;
    }
    case 'GET /stream':
      stream(request, response, scenario);
      return;
    default:
      problem(response, 404, 'no such thing');
  }
}

function etag(): string {
  return `"history-${String(settings.history.revision)}"`;
}

function stream(request: IncomingMessage, response: ServerResponse, scenario: Scenario): void {
  response.setHeader('Content-Type', 'text/event-stream');
  response.flushHeaders();
  const say = <Name extends keyof Live>(type: Name, data: Live[Name]) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  for (const device of devicesAt(scenario, Date.now())) say('device', { device });
  say('hub', { hub: hubAt(scenario, Date.now()) });
  // Devices do not report all at once.
  const timers = devicesAt(scenario, Date.now()).map((device, at) => {
    let every: ReturnType<typeof setInterval> | undefined;
    const first = setTimeout(() => {
      every = setInterval(() => {
        const metrics = metricsAt(device.id, Date.now());
        if (device.status !== 'online' || !metrics) return;
        const at = new Date().toISOString();
        say('metrics', { id: device.id, at, metrics, troubles: device.troubles });
        if (isWatched(device.id, Date.now())) {
          say('processes', { id: device.id, processes: processesAt(Date.now()) });
        }
      }, INTERVAL_MS);
    }, at * 130);
    return () => {
      clearTimeout(first);
      clearInterval(every);
    };
  });
  // A hub that goes while someone looks.
  if (scenario === 'lost') setTimeout(() => response.destroy(), LOST_AFTER_MS);
  request.on('close', () => {
    for (const stop of timers) stop();
  });
}

const middleware: Connect.NextHandleFunction = (request, response, next) => {
  if (!request.url?.startsWith(`${BASE}/`)) {
    next();
    return;
  }
  handle(request, response).catch((error: unknown) => {
    problem(response, 500, String(error));
  });
};

export function mockApi(): Plugin {
  return {
    name: 'netmonitor-mock-api',
    configureServer(server) {
      server.middlewares.use(middleware);
    },
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('Content-Security-Policy', POLICY);
        next();
      });
      server.middlewares.use(middleware);
    },
  };
}

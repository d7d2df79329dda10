/** Ways to people, the heartbeat, and what holds for all messages: for all who look at this mock. */
import type {
  AlertingSettings,
  Channel,
  ChannelChange,
  Heartbeat,
  HeartbeatChange,
} from '../src/api/types.ts';
import { bodyOf, problem, send, type Call, type Part } from './http.ts';

type Changes<T> = { [Key in keyof T]?: T[Key] | null };

const SECRETS = ['password', 'url', 'token'] as const;
const ALWAYS = { least: 'info', groups: [], hours: [], resolved: true } as const;

let channels: Channel[] = [
  {
    id: 'mail',
    name: 'Mail to the admins',
    enabled: true,
    kind: 'email',
    host: 'mail.example.org',
    port: 587,
    security: 'start_tls',
    user: 'hub@example.org',
    from: 'NetMonitor <hub@example.org>',
    to: ['marie@example.org', 'jonas@example.org'],
    route: { least: 'warning', groups: [], hours: [], resolved: true },
    has_secret: true,
  },
  {
    id: 'on-call',
    name: 'On-call phone',
    enabled: true,
    kind: 'ntfy',
    server: 'https://ntfy.sh',
    topic: 'example-on-call-7f3a',
    route: {
      least: 'critical',
      groups: ['servers'],
      hours: [
        {
          days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
          from: '18:00',
          to: '08:00',
        },
        { days: ['saturday', 'sunday'], from: '00:00', to: '00:00' },
      ],
      resolved: false,
    },
    has_secret: true,
  },
  {
    id: 'chat',
    name: 'Chat of the team',
    enabled: false,
    kind: 'webhook',
    format: 'slack',
    url_host: 'hooks.slack.example',
    route: { ...ALWAYS, groups: [], hours: [] },
    has_secret: true,
  },
  {
    id: 'desks',
    name: 'Our desktops',
    enabled: true,
    kind: 'agent',
    devices: ['ws-01', 'ws-04'],
    route: { ...ALWAYS, groups: [], hours: [] },
    has_secret: false,
  },
  {
    id: 'tickets',
    name: 'Ticket system',
    enabled: true,
    kind: 'webhook',
    format: 'template',
    template: '{"subject": "{title}", "body": "{text}\\n{link}", "priority": "{severity}"}',
    url_host: 'tickets.example.org',
    route: { ...ALWAYS, least: 'warning', groups: [], hours: [], resolved: false },
    has_secret: true,
  },
];

const heartbeat: Heartbeat = {
  enabled: true,
  every_secs: 60,
  has_secret: true,
  url_host: 'hc-ping.example',
};

const alerting: AlertingSettings = {
  revision: 3,
  repeat_hours: 24,
  boot_grace_secs: 120,
  language: 'en',
  time_zone: 'Europe/Paris',
  quiet_hours: [{ days: [], from: '22:00', to: '07:00' }],
  dashboard_url: 'http://192.168.1.2:8080',
};

let revision = 4;

const tagOf = () => `"channels-${String(revision)}"`;
const alertingTag = () => `"alerting-${String(alerting.revision)}"`;

export const answerChannels: Part = async (call) => {
  const { response, what, path, scenario } = call;
  const shown = scenario === 'empty' || scenario === 'setup' ? [] : channels;
  switch (what) {
    case 'GET /channels':
      response.setHeader('ETag', tagOf());
      send(response, { items: shown });
      return true;
    case 'POST /channels':
      await make(call);
      return true;
    case 'GET /channels/heartbeat':
      response.setHeader('ETag', tagOf());
      send(
        response,
        shown.length > 0 ? heartbeat : { enabled: false, every_secs: 60, has_secret: false },
      );
      return true;
    case 'PATCH /channels/heartbeat':
      if (isOld(call, tagOf())) return true;
      await changeHeartbeat(call);
      return true;
    case 'POST /channels/heartbeat/test':
      await pause(900);
      send(response, { sent: true, answer: '200 OK' });
      return true;
    case 'GET /settings/alerting':
      response.setHeader('ETag', alertingTag());
      send(response, alerting);
      return true;
    case 'PATCH /settings/alerting':
      if (isOld(call, alertingTag())) return true;
      await changeAlerting(call);
      return true;
  }
  const [, id = '', more] = /^\/channels\/([^/]+)(\/test)?$/.exec(path) ?? [];
  if (id === '') return false;
  const channel = channels.find((one) => one.id === id);
  if (!channel) {
    problem(response, 404, `there is no channel ${id}`);
  } else if (what.startsWith('POST ') && more) {
    await pause(1500);
    send(response, answerOf(channel));
  } else if (what.startsWith('DELETE ')) {
    channels = channels.filter((one) => one !== channel);
    revision += 1;
    send(response, undefined, 204);
  } else if (what.startsWith('PATCH ')) {
    if (isOld(call, tagOf())) return true;
    apply(channel, await bodyOf<Changes<ChannelChange>>(call.request));
    answerWith(call, channel);
  } else {
    response.setHeader('ETag', tagOf());
    send(response, channel);
  }
  return true;
};

async function make(call: Call): Promise<void> {
  const change = await bodyOf<Changes<ChannelChange>>(call.request);
  const name = change.name ?? '';
  if (change.kind === 'email' && !(change.to ?? []).every((to) => to.includes('@'))) {
    const wrong = JSON.stringify((change.to ?? []).find((to) => !to.includes('@')));
    problem(call.response, 400, `${wrong} is no mail address: write it like ada@example.org`);
    return;
  }
  const channel: Channel = {
    id: `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${String(revision)}`,
    name,
    enabled: true,
    kind: change.kind ?? 'unknown',
    route: { ...ALWAYS, groups: [], hours: [] },
    has_secret: false,
  };
  apply(channel, change);
  channels.push(channel);
  answerWith(call, channel);
}

/** What is null goes; secrets are only noted. */
function apply(channel: Channel, change: Changes<ChannelChange>): void {
  for (const [key, value] of Object.entries(change)) {
    if (SECRETS.some((secret) => secret === key)) channel.has_secret = value !== null;
    else if (value === null) Reflect.deleteProperty(channel, key);
    else Object.assign(channel, { [key]: value });
  }
  if (typeof change.url === 'string') channel.url_host = hostOf(change.url);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

async function changeHeartbeat(call: Call): Promise<void> {
  const { url, ...rest } = await bodyOf<Changes<HeartbeatChange>>(call.request);
  Object.assign(heartbeat, rest);
  if (typeof url === 'string') {
    heartbeat.has_secret = true;
    heartbeat.url_host = hostOf(url);
  } else if (url === null) {
    heartbeat.has_secret = false;
    delete heartbeat.url_host;
  }
  answerWith(call, heartbeat);
}

async function changeAlerting(call: Call): Promise<void> {
  const change = await bodyOf<Record<string, unknown>>(call.request);
  for (const [key, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(alerting, key);
    else Object.assign(alerting, { [key]: value });
  }
  alerting.revision += 1;
  call.response.setHeader('ETag', alertingTag());
  send(call.response, alerting);
}

function answerOf(channel: Channel) {
  switch (channel.kind) {
    case 'email':
      return { sent: true, answer: '250 2.0.0 Ok: queued as 4XkT2m0' };
    case 'webhook':
      return { sent: false, answer: `${channel.url_host ?? ''} answers 404: no_team` };
    case 'agent':
      return { sent: true, answer: 'shown on ws-01, ws-04' };
    default:
      return { sent: true, answer: '200 OK' };
  }
}

function answerWith({ response }: Call, value: unknown): void {
  revision += 1;
  response.setHeader('ETag', tagOf());
  send(response, value);
}

function isOld({ request, response }: Call, tag: string): boolean {
  const asked = request.headers['if-match'];
  if (asked === undefined || asked === '*' || asked === tag) return false;
  problem(response, 412, 'the settings have changed meanwhile');
  return true;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

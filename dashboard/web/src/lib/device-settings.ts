import type {
  Device,
  DeviceChange,
  DeviceSettings,
  DeviceSettingsChange,
  Service,
} from '../api/types';
import { readDuration, readNumber, writeDuration, writeNumber, type Writing } from './rules';

/** What is typed about a device. */
export interface AboutDraft {
  name: string;
  /** Between commas. */
  groups: string;
  alwaysOn: boolean;
  /** Empty: it hangs behind none. */
  uplink: string;
}

export function aboutOf({ name, groups, always_on, uplink }: Device): AboutDraft {
  return { name, groups: groups.join(', '), alwaysOn: always_on, uplink: uplink ?? '' };
}

/** The groups in a text, each once. */
export function groupsIn(text: string): string[] {
  const names = text.split(/[,;]/).map((name) => name.trim().replace(/\s+/g, ' '));
  return [...new Set(names.filter((name) => name !== ''))];
}

const MOST_GROUPS = 20;
const LONGEST = { name: 64, group: 32 };
/** As people count, and not by what a letter takes. */
const lengthOf = (text: string) => [...text].length;

export function aboutFaults(draft: AboutDraft): { name: boolean; groups: boolean } {
  const length = lengthOf(draft.name.trim());
  const groups = groupsIn(draft.groups);
  return {
    name: length === 0 || length > LONGEST.name,
    groups: groups.length > MOST_GROUPS || groups.some((it) => lengthOf(it) > LONGEST.group),
  };
}

/** What is different from what is known. */
export function aboutChange(device: Device, draft: AboutDraft): DeviceChange {
  const change: DeviceChange = {};
  const groups = groupsIn(draft.groups);
  if (draft.name.trim() !== device.name) change.name = draft.name.trim();
  if (!isSame(groups, device.groups)) change.groups = groups;
  if (draft.alwaysOn !== device.always_on) change.always_on = draft.alwaysOn;
  if (draft.uplink !== (device.uplink ?? '')) {
    change.uplink = draft.uplink === '' ? null : draft.uplink;
  }
  return change;
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, at) => name === b[at]);

/** The devices that one can hang behind: not itself, nor one that hangs behind it. */
export function uplinksFor(id: string, devices: ReadonlyMap<string, Device>): Device[] {
  const leadsBack = (from: Device) => {
    const seen = new Set<string>();
    let at: Device | undefined = from;
    while (at && !seen.has(at.id)) {
      if (at.id === id) return true;
      seen.add(at.id);
      at = devices.get(at.uplink ?? '');
    }
    return false;
  };
  return [...devices.values()].filter((device) => !leadsBack(device));
}

/** What is typed for the agent of a device. */
export interface AgentDraft {
  /** Empty: up to the agent. */
  interval: string;
  /** Empty: as for all devices. */
  offline: string;
  notifications: 'agent' | 'yes' | 'no';
  /** `null`: up to the agent. */
  watched: string[] | null;
}

export function agentOf(settings: DeviceSettings, writing: Writing): AgentDraft {
  const { interval_secs, offline_timeout_secs, notifications, watched_services } = settings;
  return {
    interval: interval_secs == null ? '' : writeNumber(interval_secs, writing),
    offline: writeDuration(offline_timeout_secs, writing),
    notifications: notifications == null ? 'agent' : notifications ? 'yes' : 'no',
    watched: watched_services ?? null,
  };
}

export const INTERVAL = { least: 1, most: 3600 };
const LONGEST_OFFLINE_SECS = 86_400;
export const MOST_WATCHED = 256;

export function agentFaults(
  draft: AgentDraft,
  writing: Writing,
): Record<'interval' | 'offline', boolean> {
  const interval = intervalIn(draft, writing);
  const offline = readDuration(draft.offline);
  return {
    interval: interval !== null && !(interval >= INTERVAL.least && interval <= INTERVAL.most),
    offline: draft.offline.trim() !== '' && !(offline <= LONGEST_OFFLINE_SECS),
  };
}

function intervalIn({ interval }: AgentDraft, writing: Writing): number | null {
  const text = interval.trim();
  if (text === '') return null;
  const plain = readNumber(text.replace(/\s*s$/i, ''), writing);
  return Number.isNaN(plain) ? readDuration(text) : plain;
}

/** What is different from what is set. */
export function agentChange(
  settings: DeviceSettings,
  draft: AgentDraft,
  writing: Writing,
): DeviceSettingsChange {
  const change: DeviceSettingsChange = {};
  const interval = intervalIn(draft, writing);
  if (interval !== (settings.interval_secs ?? null)) change.interval_secs = interval;
  const offline = draft.offline.trim() === '' ? null : readDuration(draft.offline);
  if (offline !== settings.offline_timeout_secs) change.offline_timeout_secs = offline;
  const notifications = { agent: null, yes: true, no: false }[draft.notifications];
  if (notifications !== (settings.notifications ?? null)) change.notifications = notifications;
  const watched = settings.watched_services ?? null;
  if (JSON.stringify(draft.watched) !== JSON.stringify(watched)) {
    change.watched_services = draft.watched;
  }
  return change;
}

/** Whether a device does what is set: `sent` until it tells so, `waiting` while it is away. */
export type Progress = 'nothing' | 'sent' | 'waiting' | 'applied';

/** By what a device tells of itself; notifications it does not tell. */
export function progressOf(
  { interval_secs, watched_services }: DeviceSettings,
  device: Device,
  services: readonly Service[],
): Progress {
  if (interval_secs == null && watched_services == null) return 'nothing';
  if (device.status === 'offline') return 'waiting';
  const keepsTime = interval_secs == null || device.info?.interval_secs === interval_secs;
  const watched = services.filter((it) => it.watched).map((it) => it.name);
  const watches =
    watched_services == null ||
    (watched.length === watched_services.length &&
      watched_services.every((name) => watched.some((other) => isOne(name, other))));
  return keepsTime && watches ? 'applied' : 'sent';
}

/** People leave out `.service`. */
const isOne = (a: string, b: string) => a === b || a === `${b}.service` || b === `${a}.service`;

/** The services that are watched when one more is, or one less. */
export function watchedWith(
  set: readonly string[] | null,
  services: readonly Service[],
  name: string,
  isWatched: boolean,
): string[] {
  const now = set ?? services.filter((it) => it.watched).map((it) => it.name);
  const others = now.filter((it) => !isOne(it, name));
  return isWatched ? [...others, name] : others;
}

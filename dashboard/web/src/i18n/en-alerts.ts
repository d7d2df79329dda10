import { DASH } from '../lib/format';
import { readRule } from '../lib/rule';
import type { Parameters } from './en';

/** What rules watch, by their kinds. */
export const RULES: Record<string, (target: string) => string> = {
  offline: () => 'offline',
  stale: () => 'no samples',
  reboot: () => 'unexpected restart',
  cpu: () => 'processor',
  ram: () => 'memory',
  swap: () => 'swap',
  disk: (target) => `disk ${target}`,
  inodes: (target) => `inodes of ${target}`,
  'disk-trend': (target) => `disk ${target} fills up`,
  load: () => 'load',
  temperature: () => 'temperature',
  network: () => 'network',
  clock: () => 'clock',
  service: (target) => `service ${target}`,
  'samples-lost': () => 'lost samples',
  storage: () => 'disk with its data',
  database: () => 'history',
  ingest: () => 'storing samples',
  time: () => 'time not known',
  settings: () => 'settings of devices',
};

function what(p: Parameters): string {
  const { kind, target = '' } = readRule(p('rule'));
  const subject = p('device') === DASH ? 'Hub' : p('device');
  return `${subject}: ${RULES[kind]?.(target) ?? p('rule')}`;
}

function numbers(p: Parameters): string {
  if (p('value') === DASH) return '';
  return p('limit') === DASH ? ` (${p('value')})` : ` (${p('value')}, limit ${p('limit')})`;
}

/** Lines of the log about alerts and messages. */
export const enAlertEvents: Record<string, (p: Parameters) => string> = {
  alert_firing: (p) => `Alert: ${what(p)}${numbers(p)}`,
  alert_resolved: (p) => `Over: ${what(p)}`,
  alert_acknowledged: (p) =>
    p('note') === DASH ? `Taken on: ${what(p)}` : `Taken on: ${what(p)} (${p('note')})`,
  alert_unacknowledged: (p) => `Given back: ${what(p)}`,
  alert_snoozed: (p) => `Snoozed: ${what(p)}`,
  message_sent: (p) => `Told ${p('channel')}: ${p('title')}`,
  message_failed: (p) => `${p('channel')} was never told “${p('title')}”: ${p('error')}`,
  channel_failing: (p) => `${p('channel')} cannot be reached, trying again: ${p('error')}`,
};

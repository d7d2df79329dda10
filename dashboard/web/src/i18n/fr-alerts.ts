import { DASH } from '../lib/format';
import { readRule } from '../lib/rule';
import type { Parameters } from './en';

/** Ce que surveillent les règles, par leurs genres. */
export const RULES: Record<string, (target: string) => string> = {
  offline: () => 'hors ligne',
  stale: () => 'aucune mesure',
  reboot: () => 'redémarrage imprévu',
  cpu: () => 'processeur',
  ram: () => 'mémoire',
  swap: () => 'swap',
  disk: (target) => `disque ${target}`,
  inodes: (target) => `inodes de ${target}`,
  'disk-trend': (target) => `le disque ${target} se remplit`,
  load: () => 'charge',
  temperature: () => 'température',
  network: () => 'réseau',
  clock: () => 'horloge',
  service: (target) => `service ${target}`,
  'samples-lost': () => 'mesures perdues',
  storage: () => 'disque de ses données',
  database: () => 'historique',
  ingest: () => 'enregistrement des mesures',
  time: () => 'heure inconnue',
  settings: () => 'réglages des appareils',
};

function what(p: Parameters): string {
  const { kind, target = '' } = readRule(p('rule'));
  const subject = p('device') === DASH ? 'Hub' : p('device');
  return `${subject} : ${RULES[kind]?.(target) ?? p('rule')}`;
}

function numbers(p: Parameters): string {
  if (p('value') === DASH) return '';
  return p('limit') === DASH ? ` (${p('value')})` : ` (${p('value')}, limite ${p('limit')})`;
}

/** Lignes du journal sur les alertes et les messages. */
export const frAlertEvents: Record<string, (p: Parameters) => string> = {
  alert_firing: (p) => `Alerte : ${what(p)}${numbers(p)}`,
  alert_resolved: (p) => `Terminé : ${what(p)}`,
  alert_acknowledged: (p) =>
    p('note') === DASH
      ? `Pris en charge : ${what(p)}`
      : `Pris en charge : ${what(p)} (${p('note')})`,
  alert_unacknowledged: (p) => `Rendu : ${what(p)}`,
  alert_snoozed: (p) => `Mis en veille : ${what(p)}`,
  message_sent: (p) => `${p('channel')} a été averti : ${p('title')}`,
  message_failed: (p) =>
    `${p('channel')} n’a jamais été averti de « ${p('title')} » : ${p('error')}`,
  channel_failing: (p) =>
    `${p('channel')} est injoignable, nouvel essai automatique : ${p('error')}`,
};

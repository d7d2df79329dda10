import type { Maintenance, MaintenanceChange, Weekday } from '../api/types';
import { WEEKDAYS } from './weekdays';
import { dateAfter, momentOf, wallAt, weekdayOf } from './zone';

/** When a window is open next, or is open now. */
export interface Opening {
  from: number;
  to: number;
  isOpen: boolean;
}

/** Now or next; `null` once it is over. */
export function openingOf(window: Maintenance, now: number, zone: string): Opening | null {
  const opening = (from: number, to: number) => ({ from, to, isOpen: from <= now && now < to });
  const { weekly } = window;
  if (!weekly) {
    const [from, to] = [Date.parse(window.from ?? ''), Date.parse(window.to ?? '')];
    return now < to ? opening(from, to) : null;
  }
  const days = weekly.days?.length ? weekly.days : WEEKDAYS;
  const today = wallAt(now, zone);
  // One that has begun yesterday may still be open.
  for (let after = -1; after <= 7; after += 1) {
    const date = dateAfter(today, after);
    const weekday = WEEKDAYS[weekdayOf(`${date}T12:00`)];
    if (!weekday || !days.includes(weekday)) continue;
    const lasts = weekly.to > weekly.from ? 0 : 1;
    const from = momentOf(`${date}T${weekly.from}`, zone);
    const to = momentOf(`${dateAfter(today, after + lasts)}T${weekly.to}`, zone);
    if (now < to) return opening(from, to);
  }
  return null;
}

/** Open ones first, then those that open next; what is over last, the newest first. */
export function inOrder(
  windows: readonly Maintenance[],
  now: number,
  zone: string,
): { window: Maintenance; opening: Opening | null }[] {
  const end = ({ to }: Maintenance) => Date.parse(to ?? '') || 0;
  return windows
    .map((window) => ({ window, opening: openingOf(window, now, zone) }))
    .sort((a, b) => {
      if (a.opening && b.opening) {
        return (
          Number(b.opening.isOpen) - Number(a.opening.isOpen) || a.opening.from - b.opening.from
        );
      }
      if (a.opening || b.opening) return a.opening ? -1 : 1;
      return end(b.window) - end(a.window);
    });
}

/** What is typed into the form. */
export interface Draft {
  name: string;
  kind: 'once' | 'weekly';
  /** Readings of the clock: `2026-12-01T14:00`. */
  from: string;
  to: string;
  days: Weekday[];
  /** Times of the day. */
  weeklyFrom: string;
  weeklyTo: string;
  /** Every device and the hub, or those that are chosen. */
  target: 'all' | 'some';
  devices: string[];
  groups: string[];
}

const HOUR = 3_600_000;
const USUAL_HOURS = 2;

/** A window to be made: now, for two hours. */
export function newDraft(now: number, zone: string): Draft {
  const from = wallAt(now, zone);
  return {
    name: '',
    kind: 'once',
    from,
    to: wallAt(now + USUAL_HOURS * HOUR, zone),
    days: [WEEKDAYS[weekdayOf(from)] ?? 'monday'],
    weeklyFrom: '02:00',
    weeklyTo: '04:00',
    target: 'some',
    devices: [],
    groups: [],
  };
}

/** A window that is there, to be changed. */
export function draftOf(window: Maintenance, now: number, zone: string): Draft {
  const draft = newDraft(now, zone);
  const { weekly, devices, groups } = window;
  return {
    ...draft,
    name: window.name,
    kind: weekly ? 'weekly' : 'once',
    from: window.from === undefined ? draft.from : wallAt(Date.parse(window.from), zone),
    to: window.to === undefined ? draft.to : wallAt(Date.parse(window.to), zone),
    days: weekly ? [...(weekly.days?.length ? weekly.days : WEEKDAYS)] : draft.days,
    weeklyFrom: weekly?.from ?? draft.weeklyFrom,
    weeklyTo: weekly?.to ?? draft.weeklyTo,
    target: devices.length + groups.length === 0 ? 'all' : 'some',
    devices: [...devices],
    groups: [...groups],
  };
}

/** When it ends if it lasts so many hours. */
export function endAfter(from: string, hours: number, zone: string): string {
  const time = momentOf(from, zone);
  return Number.isNaN(time) ? '' : wallAt(time + hours * HOUR, zone);
}

export type DraftFault = 'from' | 'to' | 'past' | 'days' | 'target' | 'name';

/** Bounds of the hub: what is longer it refuses. */
export const LONGEST_NAME = 64;

/** What the hub would refuse, or what would keep nobody quiet. */
export function faultsOf(draft: Draft, now: number, zone: string): DraftFault[] {
  const faults: DraftFault[] = [];
  if ([...draft.name.trim()].length > LONGEST_NAME) faults.push('name');
  if (draft.kind === 'once') {
    const [from, to] = [momentOf(draft.from, zone), momentOf(draft.to, zone)];
    if (Number.isNaN(from)) faults.push('from');
    if (Number.isNaN(to) || to <= from) faults.push('to');
    else if (to <= now) faults.push('past');
  } else {
    if (draft.days.length === 0) faults.push('days');
    if (draft.weeklyFrom === '') faults.push('from');
    if (draft.weeklyTo === '') faults.push('to');
  }
  if (draft.target === 'some' && draft.devices.length + draft.groups.length === 0) {
    faults.push('target');
  }
  return faults;
}

/** What to ask of the hub. */
export function changeOf(draft: Draft, zone: string): MaintenanceChange {
  const isSome = draft.target === 'some';
  const who = {
    name: draft.name.trim(),
    devices: isSome ? draft.devices : [],
    groups: isSome ? draft.groups : [],
  };
  if (draft.kind === 'weekly') {
    const days = WEEKDAYS.filter((day) => draft.days.includes(day));
    const weekly = { days, from: draft.weeklyFrom, to: draft.weeklyTo };
    return { ...who, weekly };
  }
  const moment = (wall: string) => new Date(momentOf(wall, zone)).toISOString();
  return { ...who, from: moment(draft.from), to: moment(draft.to) };
}

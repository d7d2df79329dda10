import type { Units } from '../lib/format';
import { enAlertEvents } from './en-alerts';
import { enAlertsPage } from './en-alerts-page';
import { enLog } from './en-log';
import { enRules } from './en-rules';
import { enDeviceSettings } from './en-device-settings';
import { enAccess } from './en-access';
import { enChannels } from './en-channels';
import { enDevice } from './en-device';
import { enWeekdays } from './en-weekdays';
import { pluralIn } from './plural';

const plural = pluralIn('en');

const units: Units = {
  bytes: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'],
  decimal: ['MB', 'GB', 'TB'],
  perSecond: (amount) => `${amount}/s`,
  rpm: 'rpm',
  second: 's',
  minute: 'min',
  hour: 'h',
  day: 'd',
  ago: (duration) => `${duration} ago`,
  justNow: 'just now',
};

/** A parameter of an event; missing ones show as a dash. */
export type Parameters = (name: string) => string;

/** Why a device is not online, or how it came back. */
const CAUSES: Record<string, string> = {
  stopped: 'agent stopped',
  shutdown: 'shut down',
  suspend: 'asleep',
  reboot: 'restarted',
  lost: 'connection lost',
  replaced: 'agent started again',
  hub_restart: 'the hub was away',
};

/** Sections of the hub's settings. */
const SECTIONS: Record<string, string> = {
  history: 'history',
  alerting: 'alerts',
  channels: 'channels',
};

function sectionName(section: string): string {
  return SECTIONS[section] ?? section;
}

function because(cause: string): string {
  const words = CAUSES[cause];
  return words ? ` (${words})` : '';
}

/** English, which says what a catalogue has. Amounts arrive formatted, counts as numbers. */
export const en = {
  units,
  name: 'English',

  common: {
    loading: 'Loading',
    close: 'Close',
    copy: 'Copy',
    copied: 'Copied',
    tryAgain: 'Try again',
    version: (version: string) => `NetMonitor ${version}`,
    apiDocs: 'API',
    newerVersion: (version: string) => `The hub is now at version ${version}.`,
    reload: 'Reload the page',
    skip: 'Skip to content',
    none: 'none',
  },

  nav: {
    name: 'Pages',
    devices: 'Devices',
    alerts: 'Alerts',
    log: 'Log',
    unattended: (count: number) =>
      plural(count, {
        one: '1 that nobody has taken on',
        other: `${count} that nobody has taken on`,
      }),
  },

  menu: {
    account: 'Account',
    language: 'Language',
    settings: 'Settings',
    theme: 'Theme',
    system: 'System',
    light: 'Light',
    dark: 'Dark',
    logOut: 'Log out',
    roles: { admin: 'Administrator', operator: 'Operator', viewer: 'Viewer' },
  },

  errors: {
    unreachable: 'The hub does not answer. Check that it runs and that you are on its network.',
    pageMissing:
      'This page could not be fetched: the hub does not answer, or is at another version by now.',
    forbidden: 'Your account may not do this. Ask an administrator.',
    changedMeanwhile:
      'Somebody else has changed the settings meanwhile, so nothing was saved. Read them anew, then change what you want.',
    server: (detail: string) => `The hub could not do this: ${detail}`,
    badLogin: 'Name or password is wrong.',
    tooMany: (wait: string) => `Too many attempts. Try again in ${wait}.`,
    tooManySoon: 'Too many attempts. Try again in a few minutes.',
  },

  login: {
    title: 'Log in',
    name: 'Name',
    password: 'Password',
    show: 'Show what I type',
    submit: 'Log in',
    expired: 'Your session has ended. Log in to go on.',
    nameSample: 'NAME',
    forgotten: 'Forgotten? On the hub, run:',
  },

  setup: {
    title: 'Set up this hub',
    intro: 'Make the first account. It may change everything on this hub.',
    name: 'Name',
    password: 'Password',
    passwordHint: 'At least 10 characters. A few words are easier to remember than symbols.',
    passwordShort: (missing: number) =>
      plural(missing, { one: '1 more character', other: `${missing} more characters` }),
    submit: 'Create account',
    needsLinkTitle: 'This hub is not set up yet',
    needsLink: 'Open the setup link that the hub printed when it started. To see it again, run:',
    badToken: 'This setup link is not valid, or no longer. To get one that is, run on the hub:',
    done: 'This hub is already set up.',
    toLogin: 'Log in',
  },

  status: { online: 'Online', offline: 'Offline', stale: 'No samples', unknown: 'Unknown' },

  /** Why a device is not online, behind a comma. */
  cause: CAUSES,

  headline: {
    asOf: (time: string) => `At ${time}:`,
    well: (total: number) =>
      plural(total, { one: '1 device, and it is well', other: `${total} devices, all well` }),
    unknown: (unknown: number, total: number) =>
      `Nothing wrong that can be seen; ${unknown} of ${total} not heard from since the hub started`,
    needYou: (count: number, total: number) =>
      plural(count, {
        one: `${count} of ${total} needs you:`,
        other: `${count} of ${total} need you:`,
      }),
    offlineFor: (duration: string) => ` offline for ${duration}`,
    offline: ' offline',
    staleFor: (duration: string) => ` connected, but no samples for ${duration}`,
    troubles: (list: string) => `: ${list}`,
    more: (count: number) => `and ${count} more`,
  },

  trouble: {
    offlineFor: (duration: string) => `Offline for ${duration}`,
    offline: 'Offline',
    offlineBrief: (duration: string) => `Offline ${duration}`,
    stale: 'Connected, but sends no samples',
    staleFor: (duration: string) => `Connected, but no samples for ${duration}`,
    staleBrief: (duration: string) => `No samples ${duration}`,
    unknown: 'Not heard from yet',
    cpu: (value: string) => `CPU ${value}`,
    ram: (value: string) => `RAM ${value}`,
    disk: (value: string, mount?: string) => `disk ${mount ? `${mount} ` : ''}${value}`,
    services: (names: string[]) =>
      names.length <= 2
        ? `${names.join(' and ')} failed`
        : plural(names.length, {
            one: '1 service failed',
            other: `${names.length} services failed`,
          }),
    servicesCount: (count: number) =>
      plural(count, { one: '1 service failed', other: `${count} services failed` }),
  },

  fleet: {
    title: 'Devices',
    needYou: 'Need you',
    filter: 'Name, group, system, address',
    noMatch: (text: string) => `No device has “${text}” in its name, group, system or address.`,
    emptyTitle: 'No device yet',
    emptyText: 'Paste one line on a machine. It appears here a few seconds later.',
    emptyNotAdmin: 'An administrator can add one here.',
    asOf: (time: string) => `Values from ${time}`,
    up: (duration: string) => `up ${duration}`,
    cores: (count: number) => plural(count, { one: '1 core', other: `${count} cores` }),
    services: (count: number) => plural(count, { one: '1 service', other: `${count} services` }),
  },

  add: {
    button: 'Add a device',
    title: 'Add a device',
    make: 'Make a join code',
    intro:
      'A join code lets one machine in and is valid for 15 minutes. It carries the address of this hub and the fingerprint of its certificate.',
    install: 'Paste this on a Linux machine with systemd:',
    installs:
      'The machine gets the agent from this hub, checks it and installs it as a service. It needs no internet.',
    orJoin: 'Or, on a machine that has the agent already:',
    paste: 'Paste this line on a machine that has the agent:',
    valid: (duration: string) => `Valid for ${duration}, once.`,
    expired: 'This code is no longer valid.',
    another: 'Make another code',
    waiting: 'Waiting for the machine…',
    joined: (name: string) => `${name} has joined.`,
    start: 'Its values come as soon as its agent runs. Start it on the machine:',
    show: (name: string) => `Show ${name}`,
  },

  metric: {
    cpu: 'CPU',
    ram: 'RAM',
    swap: 'Swap',
    disk: 'Disk',
    load: 'Load',
    load1: '1 min',
    network: 'Network',
    temperature: 'Temperature',
    disks: 'Disks',
    memory: 'Memory',
    services: 'Services',
    cpuModes: 'CPU by use',
    user: 'programs',
    system: 'kernel',
    iowait: 'waits for disk',
    steal: 'taken by the host',
    pressure: 'Pressure',
    throughput: 'Disk throughput',
    read: (drive: string) => `${drive} read`,
    written: (drive: string) => `${drive} written`,
    busy: 'Disk busy',
    fans: 'Fans',
    battery: 'Battery',
    gpu: 'GPU',
    containerCpu: 'Containers, CPU',
    containerMemory: 'Containers, memory',
    received: 'received',
    sent: 'sent',
    limit: (limit: string) => `Limit ${limit}`,
    core: (number: number, value: string) => `Core ${number}: ${value}`,
    perCore: 'Cores now',
    of: (used: string, total: string) => `${used} of ${total}`,
    usedAndFree: (used: string, free: string) => `${used} used, ${free} free`,
  },

  why: {
    noValues: 'no values yet',
    noDisk: 'no disk reported',
    noSensor: 'No sensor reports a temperature.',
    noLoad: 'This system has no load average.',
    noNetwork: 'No network interface reported.',
    noHistory: 'Nothing was recorded in this time.',
    notReported: 'not reported',
  },

  alerts: enAlertsPage,
  log: enLog,
  rules: enRules,
  deviceSettings: enDeviceSettings,
  weekdays: enWeekdays,
  access: enAccess,
  channels: enChannels,
  ...enDevice,

  settings: {
    title: 'Settings',
    parts: { history: 'History', rules: 'Rules', channels: 'Messages', access: 'Access' },
    history: 'History',
    historyIntro:
      'How long the hub keeps what devices measure. What is older goes, and makes room for what is new.',
    onlyAdmin: 'Only an administrator can change this.',
    fields: {
      sample_days: 'Every sample, in days',
      five_minute_days: 'One point per 5 minutes, in days',
      two_hour_days: 'One point per 2 hours, in days',
      max_megabytes: 'Largest size, in MB',
      event_days: 'Lines of the log, in days',
      max_events: 'Lines of the log at most',
    },
    anyAge: 'Empty: whatever their age.',
    costs: (size: string) => `Takes about ${size}.`,
    costUnknown: 'How much room it takes is known once a device sends values.',
    sizeNow: (size: string) => `The history takes ${size} now.`,
    total: (size: string, devices: number) =>
      plural(devices, {
        one: `All of it takes about ${size} with the device that there is, once it is that old.`,
        other: `All of it takes about ${size} with the ${devices} devices that there are, once it is that old.`,
      }),
    tooMuch: (size: string, days: number) =>
      days === 0
        ? `All of it would take about ${size}, which is more: hardly any samples could be kept.`
        : plural(days, {
            one: `All of it would take about ${size}, which is more: samples go after about 1 day.`,
            other: `All of it would take about ${size}, which is more: samples go after about ${days} days.`,
          }),
    between: (least: string, most: string) => `Give a whole number from ${least} to ${most}.`,
    deletes: 'What is kept now and is older than that is deleted. It cannot be had back.',
    save: 'Save',
    saveAndDelete: 'Save and delete what is older',
    saved: 'Saved. The hub keeps to it from now on.',
    readAnew: 'Read them anew',
    notRead: 'The settings could not be read.',
  },

  hub: {
    unreachable: (since: string) => `The hub is out of reach since ${since}.`,
    stale: (time: string) => `What you see is from ${time}. Trying again by itself.`,
    staleNothing: 'Trying again by itself.',
    degraded: (service: string) => `${service} runs with faults. Its log on the hub says why.`,
    degradedBy: {
      disk_full: (service: string) =>
        `The hub’s disk is full: ${service} cannot write. Live values go on; agents keep their samples until there is room.`,
      not_writable: (service: string) =>
        `${service} cannot write to the hub’s disk. Live values go on; agents keep their samples. Its log on the hub says more.`,
      damaged: (service: string) =>
        `The database of ${service} is damaged. Live values go on. Its log on the hub says more.`,
      clock_not_set: () =>
        'The hub does not know the time yet: the history waits for it. Live values go on; agents keep their samples.',
    } as Record<string, (service: string) => string>,
    missing: {
      ingest:
        'History is not being written: ingest is not running. Live values go on; agents keep their samples until it is back.',
      broker:
        'Nothing new arrives: the broker is not running. Stored history can still be read; agents keep their samples until it is back.',
      alerting:
        'Nobody concludes who is there: alerting is not running. Devices are shown as the broker knows them.',
      api: 'The api service is not well. What you see may be late.',
    } as Record<string, string>,
    missingOther: (service: string) => `${service} is not running. Everything else goes on.`,
  },

  events: {
    title: 'Recent events',
    empty: 'Nothing has happened yet.',
    severity: { info: 'Info', warning: 'Warning', critical: 'Critical', unknown: 'Unknown' },
    by: (actor: string) => `by ${actor}`,
    kinds: {
      ...enAlertEvents,
      device_joined: (p) => `${p('name')} joined`,
      device_online: (p) => `${p('device')} is online${because(p('cause'))}`,
      device_offline: (p) => `${p('device')} is offline${because(p('cause'))}`,
      device_stale: (p) => `${p('device')} is connected, but sends no samples`,
      device_cloned: (p) => `Two machines use the identity of ${p('device')}: ${p('addresses')}`,
      device_revoked: (p) => `${p('name')} removed`,
      samples_lost: (p) =>
        `${p('samples')} samples of ${p('device')} are missing for good: they could not be kept`,
      service_started: (p) => `Hub service ${p('service')} ${p('version')} started`,
      service_stopped: (p) => `Hub service ${p('service')} stopped`,
      logged_in: (p) => `${p('actor')} logged in from ${p('address')}`,
      login_failed: (p) => `Login failed for ${p('name')} from ${p('address')}`,
      logged_out: (p) =>
        `${p('actor')} logged out${p('everywhere') === 'yes' ? ' everywhere' : ''}`,
      user_added: (p) => `Account ${p('name')} (${p('role')}) made`,
      user_removed: (p) => `Account ${p('name')} removed`,
      user_changed: (p) => `Role of ${p('name')} changed: ${p('was')} → ${p('role')}`,
      password_changed: (p) => `Password of ${p('name')} changed`,
      token_added: (p) => `API token ${p('name')} (${p('role')}) made`,
      token_removed: (p) => `API token ${p('name')} removed`,
      mqtt_user_added: (p) => `MQTT user ${p('name')} (${p('role')}) made`,
      mqtt_user_removed: (p) => `MQTT user ${p('name')} removed`,
      join_code_added: (p) => `Join code made (${p('uses')}×)`,
      settings_changed: (p) =>
        p('section') === 'device'
          ? 'Settings of the device changed'
          : `Settings of the hub changed (${sectionName(p('section'))})`,
      events_removed: (p) => `Lines of the log removed: ${p('lines')}`,
    } as Record<string, (p: Parameters) => string>,
  },
};

export type Messages = typeof en;

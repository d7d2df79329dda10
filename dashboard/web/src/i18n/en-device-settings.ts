import { pluralIn } from './plural';

const plural = pluralIn('en');

/** What is set about one device. */
export const enDeviceSettings = {
  title: (name: string) => `Settings of ${name}`,
  link: 'Settings',
  notRead: 'The settings of this device could not be read.',
  save: 'Save',
  saved: 'Saved.',
  discard: 'Discard changes',
  about: {
    title: 'The device',
    name: 'Name',
    nameFault: 'Give a name of 1 to 64 characters.',
    groups: 'Groups',
    groupsHint: 'Between commas, for channels and maintenance windows.',
    groupsKnown: (names: string) => `Those that exist: ${names}.`,
    groupsFault: 'At most 20 groups, of at most 32 characters each.',
    uplink: 'Hangs behind',
    uplinkHint:
      'A switch, router or machine without which it cannot be reached. When that one goes, one message names them all.',
    noUplink: 'No other device',
    alwaysOn: 'Always on',
    alwaysOnHint: 'It is never shut down on purpose: also a planned shutdown is an alert.',
  },
  agent: {
    title: 'The agent',
    intro: 'What the agent on this machine does. It takes effect at once, without a restart.',
    interval: 'Measuring interval, in seconds',
    intervalHint: 'Empty: as the agent has it.',
    intervalNow: (interval: string) => `Now: every ${interval}.`,
    intervalFault: (least: string, most: string) => `Give a number from ${least} to ${most}.`,
    offline: 'Offline after',
    offlineHint:
      'So long without a connection, and the device is offline. The same as in the rule Offline below. Empty: as for all devices.',
    offlineFault: 'Give a time of at most a day, with its unit: 10 s, 2 min.',
    notifications: 'Notifications to the person at this machine',
    notificationsHint: 'For channels that show alerts on the desktops of machines.',
    notify: { agent: 'As the agent has it', yes: 'Allowed', no: 'Not allowed' },
    progress: {
      nothing: 'Nothing is set: the agent goes by its own settings.',
      sent: 'Sent. The device has not told yet that it does so.',
      waiting: 'The device is offline. It takes this over when it is back.',
      applied: 'Applied: the device does so.',
    },
  },
  services: {
    title: 'Watched services',
    intro: 'When one of these does not run, the rule Watched services fires.',
    upToAgent: (count: number) =>
      plural(count, {
        one: 'Nothing is set: the agent watches 1 by its own settings.',
        other:
          count === 0
            ? 'Nothing is set, and the agent watches none by its own settings.'
            : `Nothing is set: the agent watches ${count} by its own settings.`,
      }),
    none: 'No service is watched. Look for one below to watch it.',
    remove: (name: string) => `No longer watch ${name}`,
    leave: 'Leave it to the agent',
    search: 'Watch another service',
    searchHint: 'Type a part of its name.',
    watch: 'Watch',
    watchOne: (name: string) => `Watch ${name}`,
    addByName: (name: string) => `Watch “${name}”, which the device does not tell of`,
    more: (count: number) =>
      plural(count, {
        one: 'and 1 more: type more of the name',
        other: `and ${count} more: type more of the name`,
      }),
    notRead: 'Which services it has is not known just now. You can still add one by its name.',
    tooMany: 'No more than 256 services can be watched.',
  },
};

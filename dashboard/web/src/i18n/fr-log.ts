import type { enLog } from './en-log';

export const frLog: typeof enLog = {
  title: 'Journal',
};

import type { enChannels } from './en-channels';

export const frChannels: typeof enChannels = {
  title: 'Messages',
};

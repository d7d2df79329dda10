import { getChannels } from '../../api/channels';
import type { Channel } from '../../api/types';

/** The channels as the hub last told them. One tag names the state of all and of the heartbeat. */
export class Kept {
  items = $state.raw<Channel[]>();
  tag = $state('*');
  cause = $state.raw<unknown>();
  /** Counts readings that were asked for anew: what is typed is then given up. */
  readings = $state(0);

  async read(): Promise<void> {
    this.cause = undefined;
    try {
      const { value, tag } = await getChannels();
      this.items = value;
      this.tag = tag;
      this.readings += 1;
    } catch (error) {
      this.cause = error;
    }
  }

  /** What has become of a channel, or a new one. */
  take(channel: Channel, tag: string): void {
    const items = this.items ?? [];
    this.tag = tag;
    this.items = items.some(({ id }) => id === channel.id)
      ? items.map((one) => (one.id === channel.id ? channel : one))
      : [...items, channel];
  }
}

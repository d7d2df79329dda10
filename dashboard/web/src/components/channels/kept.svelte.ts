import { getChannels, getHeartbeat } from '../../api/channels';
import type { Channel, Heartbeat } from '../../api/types';

/** Readings of two parts that somebody may change in between. */
const ATTEMPTS = 3;

/** The channels and the heartbeat as the hub last told them. One tag names the state of both. */
export class Kept {
  items = $state.raw<Channel[]>();
  heartbeat = $state.raw<Heartbeat>();
  tag = $state('*');
  cause = $state.raw<unknown>();

  /** Whether it has worked. */
  async read(): Promise<boolean> {
    this.cause = undefined;
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const [channels, heartbeat] = await Promise.all([getChannels(), getHeartbeat()]);
        this.items = channels.value;
        this.heartbeat = heartbeat.value;
        this.tag = channels.tag;
        if (channels.tag === heartbeat.tag) break;
      }
      return true;
    } catch (error) {
      this.cause = error;
      return false;
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

import { SvelteMap } from 'svelte/reactivity';
import type { Alert, AlertChange } from '../api/types';

const keyOf = ({ device, rule }: { device: string; rule: string }) => `${device}/${rule}`;

/** Every alert that is not `ok`, as the hub last said. */
class Alerts {
  all = new SvelteMap<string, Alert>();
  /** Whether they are known. */
  loaded = $state(false);
  /** Those that fire and that nobody has taken on. */
  unattended = $derived([...this.all.values()].filter(({ state }) => state === 'firing').length);

  load(alerts: readonly Alert[]): void {
    this.all.clear();
    for (const alert of alerts) this.all.set(keyOf(alert), alert);
    this.loaded = true;
  }

  take(change: AlertChange): void {
    const key = keyOf(change);
    if (change.alert && change.alert.state !== 'ok') this.all.set(key, change.alert);
    else this.all.delete(key);
  }

  clear(): void {
    this.all.clear();
    this.loaded = false;
  }
}

export const alerts = new Alerts();

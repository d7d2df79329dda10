import { SvelteMap } from 'svelte/reactivity';
import { acknowledgeAlert, getAlerts, giveBackAlert, snoozeAlert } from '../api/alerts';
import type { Alert, AlertChange } from '../api/types';
import { isUnattended, keyOf } from '../lib/alerts';

/** After so long without a word on the stream the hub is asked what has become of it. */
const PATIENCE_MS = 4_000;

/** What somebody wants of an alert. */
export type Action =
  { kind: 'ack'; note: string } | { kind: 'snooze'; secs: number } | { kind: 'giveBack' };

function ask(alert: Alert, action: Action): Promise<void> {
  switch (action.kind) {
    case 'ack':
      return acknowledgeAlert(alert, action.note);
    case 'snooze':
      return snoozeAlert(alert, action.secs);
    case 'giveBack':
      return giveBackAlert(alert);
  }
}

/** Every alert that is not `ok`, as the hub last said. */
class Alerts {
  all = new SvelteMap<string, Alert>();
  /** Whether they are known. */
  loaded = $state(false);
  /** Those that fire, that nobody has taken on, and that nothing keeps quiet. */
  unattended = $derived([...this.all.values()].filter(isUnattended).length);
  /** What was asked for and has not arrived yet, by the names of alerts. */
  underWay = new SvelteMap<string, Action['kind']>();
  /** Why something could not be done, by the names of alerts. */
  faults = new SvelteMap<string, unknown>();

  load(alerts: readonly Alert[]): void {
    this.all.clear();
    for (const alert of alerts) if (alert.state !== 'ok') this.all.set(keyOf(alert), alert);
    this.loaded = true;
  }

  take(change: AlertChange): void {
    const key = keyOf(change);
    if (change.alert && change.alert.state !== 'ok') this.all.set(key, change.alert);
    else {
      this.all.delete(key);
      this.faults.delete(key);
    }
    this.underWay.delete(key);
  }

  clear(): void {
    this.all.clear();
    this.underWay.clear();
    this.faults.clear();
    this.loaded = false;
  }

  /** Asks the hub for it; what has become of it comes on the stream. */
  async act(alert: Alert, action: Action): Promise<void> {
    const key = keyOf(alert);
    if (this.underWay.has(key)) return;
    this.underWay.set(key, action.kind);
    this.faults.delete(key);
    try {
      await ask(alert, action);
    } catch (cause) {
      this.underWay.delete(key);
      this.faults.set(key, cause);
      return;
    }
    setTimeout(() => void this.#settle(key), PATIENCE_MS);
  }

  /** The stream may have been away in the moment that counted. */
  async #settle(key: string): Promise<void> {
    if (!this.underWay.has(key)) return;
    try {
      this.load(await getAlerts());
    } catch (cause) {
      this.faults.set(key, cause);
    }
    this.underWay.delete(key);
  }
}

export const alerts = new Alerts();

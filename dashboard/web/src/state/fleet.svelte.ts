import { SvelteMap } from 'svelte/reactivity';
import { getAlerts } from '../api/alerts';
import { getAccount, getDevices, getHub } from '../api/client';
import { getLog } from '../api/log';
import { listen } from '../api/stream';
import type {
  Device,
  Event,
  FilledStretch,
  Hub,
  MetricsChange,
  ProcessesChange,
} from '../api/types';
import { mergeEvents } from '../lib/events';
import { Reopening } from '../lib/reopening';
import { alerts } from './alerts.svelte';
import { clock } from './clock.svelte';
import { session } from './session.svelte';

/** Changes are shown together: the page is drawn a few times a second, however large the fleet. */
const BATCH_MS = 200;
/** A stream that is silent for longer may be dead without a word: ask. */
const SILENCE_MS = 25_000;
/** A reconnect of a moment is not worth a banner. */
const GRACE_MS = 2_500;
const EVENTS = 50;

/** All devices as the hub last said, and whether it still says anything. */
class Fleet {
  devices = new SvelteMap<string, Device>();
  events = $state.raw<Event[]>([]);
  hub = $state.raw<Hub | null>(null);
  /** Whether the devices are known: before, skeletons stand in. */
  loaded = $state(false);
  /** Since when the hub does not answer; `null` while it does. */
  lostSince = $state<number | null>(null);
  /** When the hub last said something. */
  asOf = $state<number | null>(null);
  /** Counts connections: what was read before the last one may have missed something. */
  epoch = $state(0);
  /** Whether the loss has lasted long enough to be shown. */
  lost = $derived(this.lostSince !== null && clock.now - this.lostSince > GRACE_MS);

  #listeners = new Set<(change: MetricsChange) => void>();
  #processListeners = new Set<(change: ProcessesChange) => void>();
  #rereaders = new Set<(stretch: FilledStretch) => void>();
  #waiting: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  start(): void {
    this.#stop?.();
    let closed = false;
    const reopening = new Reopening();
    let close: () => void = () => undefined;
    let reopen: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      close = listen({
        open: () => {
          reopening.opened(performance.now());
          this.#heard();
          void this.#load();
        },
        device: (device) => {
          this.#later(() => this.devices.set(device.id, device));
        },
        alert: (change) => {
          this.#later(() => {
            alerts.take(change);
          });
        },
        metrics: (change) => {
          this.#later(() => {
            this.#take(change);
          });
        },
        processes: (change) => {
          this.#later(() => {
            for (const listener of this.#processListeners) listener(change);
          });
        },
        removed: (id) => {
          this.#later(() => this.devices.delete(id));
        },
        filled: (stretch) => {
          this.#later(() => {
            for (const reread of this.#rereaders) reread(stretch);
          });
        },
        hub: (hub) => {
          this.#later(() => {
            this.#takeHub(hub);
          });
        },
        log: (event) => {
          this.#later(() => {
            this.events = mergeEvents([event], this.events, EVENTS);
          });
        },
        lost: (refused) => {
          this.lostSince ??= clock.now;
          if (closed) return;
          reopen = setTimeout(open, reopening.lost(performance.now()));
          if (refused) void this.#stillLoggedIn();
        },
      });
    };
    open();
    void this.#load();
    const watchdog = setInterval(() => {
      if (this.lostSince === null && clock.now - (this.asOf ?? 0) > SILENCE_MS) void this.#ping();
    }, SILENCE_MS / 2);
    this.#stop = () => {
      closed = true;
      close();
      clearTimeout(reopen);
      clearInterval(watchdog);
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.devices.clear();
    this.events = [];
    alerts.clear();
    this.hub = null;
    this.loaded = false;
    this.lostSince = null;
    this.asOf = null;
  }

  /** Every report of every device, none left out. */
  onMetrics(listener: (change: MetricsChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The processes of every device at which someone looks. */
  onProcesses(listener: (change: ProcessesChange) => void): () => void {
    this.#processListeners.add(listener);
    return () => this.#processListeners.delete(listener);
  }

  /** Every stretch of the past that was filled. */
  onFilled(listener: (stretch: FilledStretch) => void): () => void {
    this.#rereaders.add(listener);
    return () => this.#rereaders.delete(listener);
  }

  async #load(): Promise<void> {
    try {
      const [devices, hub, log, firing] = await Promise.all([
        getDevices(),
        // A hub that cannot read its log still knows its devices.
        getHub().catch(() => null),
        getLog({}, EVENTS).catch(() => null),
        getAlerts().catch(() => null),
      ]);
      const ids = new Set(devices.map((device) => device.id));
      for (const id of [...this.devices.keys()]) if (!ids.has(id)) this.devices.delete(id);
      for (const device of devices) this.devices.set(device.id, device);
      if (log) this.events = mergeEvents(this.events, log.events, EVENTS);
      if (firing) alerts.load(firing);
      if (hub) this.#takeHub(hub);
      this.loaded = true;
      this.epoch += 1;
      this.asOf = clock.now;
    } catch {
      this.lostSince ??= clock.now;
    }
  }

  async #ping(): Promise<void> {
    try {
      this.#takeHub(await getHub());
      this.#heard();
    } catch {
      this.lostSince ??= clock.now;
    }
  }

  async #stillLoggedIn(): Promise<void> {
    try {
      if ((await getAccount()) === null) {
        session.expired = true;
        session.account = null;
      }
    } catch {
      // Out of reach, which the page already says.
    }
  }

  #take(change: MetricsChange): void {
    const { id, metrics, troubles } = change;
    const device = this.devices.get(id);
    if (device) this.devices.set(id, { ...device, metrics, troubles });
    for (const listener of this.#listeners) listener(change);
  }

  #takeHub(hub: Hub): void {
    this.hub = hub;
    clock.set(Date.parse(hub.time));
  }

  #heard(): void {
    this.lostSince = null;
    this.asOf = clock.now;
  }

  #later(change: () => void): void {
    this.#waiting.push(change);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const apply of waiting) apply();
      this.#heard();
    }, BATCH_MS);
  }
}

export const fleet = new Fleet();

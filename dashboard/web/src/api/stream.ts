import type {
  AlertChange,
  Device,
  Event,
  FilledStretch,
  Hub,
  Live,
  MetricsChange,
  ProcessesChange,
} from './types';

/** What the stream says. */
export interface Listener {
  open: () => void;
  device: (device: Device) => void;
  metrics: (change: MetricsChange) => void;
  processes: (change: ProcessesChange) => void;
  alert: (change: AlertChange) => void;
  removed: (id: string) => void;
  filled: (stretch: FilledStretch) => void;
  hub: (hub: Hub) => void;
  log: (event: Event) => void;
  /** The stream is gone for good; `refused`: the hub does not want this reader (401, 503). */
  lost: (refused: boolean) => void;
}

/** Listens to the hub until the returned function is called. */
export function listen(listener: Listener): () => void {
  const source = new EventSource('/api/v1/stream');
  const on = <Name extends keyof Live>(name: Name, take: (data: Live[Name]) => void) => {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      take(JSON.parse(event.data) as Live[Name]);
    });
  };
  source.addEventListener('open', () => {
    listener.open();
  });
  source.addEventListener('error', () => {
    const refused = source.readyState === EventSource.CLOSED;
    // Browsers would try again by themselves, after three to five seconds.
    source.close();
    listener.lost(refused);
  });
  on('device', ({ device }) => {
    listener.device(device);
  });
  on('alert', listener.alert);
  on('metrics', listener.metrics);
  on('processes', listener.processes);
  on('removed', ({ id }) => {
    listener.removed(id);
  });
  on('filled', listener.filled);
  on('hub', ({ hub }) => {
    listener.hub(hub);
  });
  on('log', ({ event }) => {
    listener.log(event);
  });
  return () => {
    source.close();
  };
}

import type { components } from './__generated__/schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type Device = Schemas['Device'];
export type DeviceMetrics = Schemas['DeviceMetrics'];
export type Event = Schemas['Event'];
export type History = Schemas['History'];
export type HistorySettings = Schemas['HistorySettings'];
export type Hub = Schemas['Hub'];
export type HubService = Schemas['HubService'];
export type JoinCode = Schemas['JoinCode'];
export type Service = Schemas['Service'];
export type ServiceList = Schemas['ServicePage'];
export type Settings = Schemas['Settings'];
export type SettingsChange = Schemas['SettingsChange'];
export type SetupState = Schemas['SetupStatus'];
export type Trouble = Schemas['Trouble'];

/** New values of a device, as the stream brings them. */
export type MetricsChange = Schemas['LiveMetrics'];
/** A stretch of a device's past that was filled. */
export type FilledStretch = Schemas['LiveFilled'];
/** What the stream brings, by the names of its events. */
export interface Live {
  device: Schemas['LiveDevice'];
  metrics: Schemas['LiveMetrics'];
  removed: Schemas['LiveRemoved'];
  filled: Schemas['LiveFilled'];
  hub: Schemas['LiveHub'];
  log: Schemas['LiveEvent'];
}

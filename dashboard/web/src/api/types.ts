import type { components } from './__generated__/schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type Device = Schemas['Device'];
export type DeviceMetrics = Schemas['DeviceMetrics'];
export type Event = Schemas['Event'];
export type History = Schemas['History'];
export type Hub = Schemas['Hub'];
export type HubService = Schemas['HubService'];
export type JoinCode = Schemas['JoinCode'];
export type Service = Schemas['Service'];
export type ServiceList = Schemas['ServiceList'];
export type SetupState = Schemas['SetupState'];
export type Trouble = Schemas['Trouble'];

/** Data of the stream's `metrics` event. */
export interface MetricsChange {
  id: string;
  metrics: DeviceMetrics;
  troubles: Trouble[];
}

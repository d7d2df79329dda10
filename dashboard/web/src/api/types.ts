import type { components } from './__generated__/schema';

type Schemas = components['schemas'];

export type Alert = Schemas['Alert'];
export type AlertState = Schemas['AlertState'];
export type Severity = Schemas['Severity'];
export type Account = Schemas['Account'];
export type AlertingSettings = Schemas['AlertingSettings'];
export type AlertingSettingsChange = Schemas['AlertingSettingsChange'];
export type Channel = Schemas['Channel'];
export type ChannelAnswer = Schemas['ChannelAnswer'];
export type ChannelChange = Schemas['ChannelChange'];
export type Device = Schemas['Device'];
export type DeviceMetrics = Schemas['DeviceMetrics'];
export type Event = Schemas['Event'];
export type Heartbeat = Schemas['Heartbeat'];
export type HeartbeatChange = Schemas['HeartbeatChange'];
export type History = Schemas['History'];
export type HistorySettings = Schemas['HistorySettings'];
export type Hub = Schemas['Hub'];
export type HubService = Schemas['HubService'];
export type Container = Schemas['Container'];
export type JoinCode = Schemas['JoinCode'];
export type NetworkUse = Schemas['Network'];
export type Process = Schemas['Process'];
export type ProcessList = Schemas['ProcessPage'];
export type RuleChange = Schemas['RuleChange'];
export type RuleEntry = Schemas['RuleEntry'];
export type RulePage = Schemas['RulePage'];
export type RuleUnit = Schemas['RuleUnit'];
export type RuleValues = Schemas['RuleValues'];
export type Preview = Schemas['PreviewAnswer'];
export type DeviceChange = Schemas['DeviceChange'];
export type DeviceSettings = Schemas['DeviceSettings'];
export type DeviceSettingsChange = Schemas['DeviceSettingsChange'];
export type Service = Schemas['Service'];
export type ServiceList = Schemas['ServicePage'];
export type Settings = Schemas['Settings'];
export type SettingsChange = Schemas['SettingsChange'];
export type SetupState = Schemas['SetupStatus'];
export type Role = Schemas['Role'];
export type MqttRole = Schemas['MqttRole'];
export type MqttUser = Schemas['MqttUser'];
export type Token = Schemas['Token'];
export type User = Schemas['User'];
export type Trouble = Schemas['Trouble'];
export type Weekday = Schemas['Weekday'];
export type WeeklyHours = Schemas['WeeklyHours'];

/** A new state of an alert, as the stream brings it. */
export type AlertChange = Schemas['LiveAlert'];
/** New values of a device, as the stream brings them. */
export type MetricsChange = Schemas['LiveMetrics'];
/** The processes of a device, while someone looks. */
export type ProcessesChange = Schemas['LiveProcesses'];
/** A stretch of a device's past that was filled. */
export type FilledStretch = Schemas['LiveFilled'];
/** What the stream brings, by the names of its events. */
export interface Live {
  device: Schemas['LiveDevice'];
  alert: Schemas['LiveAlert'];
  metrics: Schemas['LiveMetrics'];
  processes: Schemas['LiveProcesses'];
  removed: Schemas['LiveRemoved'];
  filled: Schemas['LiveFilled'];
  hub: Schemas['LiveHub'];
  log: Schemas['LiveEvent'];
}

export type Maintenance = Schemas['Maintenance'];
export type MaintenanceChange = Schemas['MaintenanceChange'];

import { client, onlyIf, tagged, type Tagged } from './http';
import type { Device, DeviceChange, DeviceSettings, DeviceSettingsChange } from './types';

export function getTaggedDevice(id: string): Promise<Tagged<Device>> {
  return tagged(client.GET('/devices/{id}', { params: { path: { id } } }));
}

/** Changes what is known about a device, unless that has changed since this tag (412). */
export function changeDevice(
  id: string,
  change: DeviceChange,
  tag: string,
): Promise<Tagged<Device>> {
  const params = { path: { id }, header: onlyIf(tag) };
  return tagged(client.PATCH('/devices/{id}', { params, body: change }));
}

export function getDeviceSettings(id: string): Promise<Tagged<DeviceSettings>> {
  return tagged(client.GET('/devices/{id}/settings', { params: { path: { id } } }));
}

/** Changes what is set for the agent of a device, unless that has changed since this tag (412). */
export function changeDeviceSettings(
  id: string,
  change: DeviceSettingsChange,
  tag: string,
): Promise<Tagged<DeviceSettings>> {
  const params = { path: { id }, header: onlyIf(tag) };
  const body = change;
  return tagged(client.PATCH('/devices/{id}/settings', { params, body }));
}

import { answer, client, onlyIf, tagged, type Tagged } from './http';
import type { Alert, Maintenance, MaintenanceChange } from './types';

/** Which alert: a rule of a device, or of the hub. */
export interface AlertName {
  device: string;
  rule: string;
}

/** Every alert, also those that are `ok`. */
export async function getAlerts(): Promise<Alert[]> {
  return (await answer(client.GET('/alerts'))).items;
}

export async function acknowledgeAlert({ device, rule }: AlertName, note: string): Promise<void> {
  const params = { path: { device, rule } };
  const body = note === '' ? {} : { note };
  await answer(client.POST('/alerts/{device}/{rule}/ack', { params, body }));
}

export async function giveBackAlert({ device, rule }: AlertName): Promise<void> {
  const params = { path: { device, rule } };
  await answer(client.POST('/alerts/{device}/{rule}/unack', { params }));
}

export async function snoozeAlert({ device, rule }: AlertName, for_secs: number): Promise<void> {
  const params = { path: { device, rule } };
  await answer(client.POST('/alerts/{device}/{rule}/snooze', { params, body: { for_secs } }));
}

export async function getMaintenance(): Promise<Tagged<Maintenance[]>> {
  const { value, tag } = await tagged(client.GET('/maintenance'));
  return { value: value.items, tag };
}

export async function addMaintenance(body: MaintenanceChange): Promise<void> {
  await answer(client.POST('/maintenance', { body }));
}

/** Changes a window, unless somebody else has changed any since they had this tag (412). */
export async function changeMaintenance(
  id: string,
  body: MaintenanceChange,
  tag: string,
): Promise<void> {
  const params = { path: { id }, header: onlyIf(tag) };
  await answer(client.PATCH('/maintenance/{id}', { params, body }));
}

export async function removeMaintenance(id: string): Promise<void> {
  await answer(client.DELETE('/maintenance/{id}', { params: { path: { id } } }));
}

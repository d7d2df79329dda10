import { answer, client, onlyIf, tagged, type Tagged } from './http';
import type {
  AlertingSettings,
  AlertingSettingsChange,
  Channel,
  ChannelAnswer,
  ChannelChange,
  Heartbeat,
  HeartbeatChange,
} from './types';

/** A test may take half a minute. */
const TEST_MS = 60_000;
const patient = (request: Request) => fetch(request, { signal: AbortSignal.timeout(TEST_MS) });

/** The tag names the state of all channels and of the heartbeat. */
export async function getChannels(): Promise<Tagged<Channel[]>> {
  const { value, tag } = await tagged(client.GET('/channels'));
  return { value: value.items, tag };
}

export function addChannel(change: ChannelChange): Promise<Tagged<Channel>> {
  return tagged(client.POST('/channels', { body: change }));
}

export function changeChannel(
  id: string,
  change: ChannelChange,
  tag: string,
): Promise<Tagged<Channel>> {
  const params = { path: { id }, header: onlyIf(tag) };
  return tagged(client.PATCH('/channels/{id}', { params, body: change }));
}

export async function removeChannel(id: string): Promise<void> {
  await answer(client.DELETE('/channels/{id}', { params: { path: { id } } }));
}

export function testChannel(id: string): Promise<ChannelAnswer> {
  return answer(client.POST('/channels/{id}/test', { params: { path: { id } }, fetch: patient }));
}

export function getHeartbeat(): Promise<Tagged<Heartbeat>> {
  return tagged(client.GET('/channels/heartbeat'));
}

export function changeHeartbeat(change: HeartbeatChange, tag: string): Promise<Tagged<Heartbeat>> {
  const params = { header: onlyIf(tag) };
  return tagged(client.PATCH('/channels/heartbeat', { params, body: change }));
}

export function testHeartbeat(): Promise<ChannelAnswer> {
  return answer(client.POST('/channels/heartbeat/test', { fetch: patient }));
}

export function getAlerting(): Promise<Tagged<AlertingSettings>> {
  return tagged(client.GET('/settings/alerting'));
}

export function changeAlerting(
  change: AlertingSettingsChange,
  tag: string,
): Promise<Tagged<AlertingSettings>> {
  const params = { header: onlyIf(tag) };
  return tagged(client.PATCH('/settings/alerting', { params, body: change }));
}

import type { LogQuery } from '../lib/log-filter';
import { answer, client } from './http';
import type { Event } from './types';

/** A part of the log, the newest first, and where the next one begins. */
export interface LogPage {
  events: Event[];
  next: number | null;
}

export async function getLog(
  query: LogQuery,
  limit: number,
  before: number | null = null,
): Promise<LogPage> {
  const asked = { ...query, limit, ...(before !== null && { before }) };
  const { items, next } = await answer(client.GET('/events', { params: { query: asked } }));
  return { events: items, next: next ? Number(next) : null };
}

/** Removes every line before a moment; how many. */
export async function removeLog(before: Date): Promise<number> {
  const query = { before: before.toISOString() };
  return (await answer(client.DELETE('/events', { params: { query } }))).lines;
}

import { answer, client } from './http';
import type { Alert } from './types';

/** Every alert that is not `ok`. */
export async function getAlerts(): Promise<Alert[]> {
  return (await answer(client.GET('/alerts'))).items;
}

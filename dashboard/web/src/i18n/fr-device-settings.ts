import type { enDeviceSettings } from './en-device-settings';

export const frDeviceSettings: typeof enDeviceSettings = {
  title: (name: string) => `Réglages de ${name}`,
};

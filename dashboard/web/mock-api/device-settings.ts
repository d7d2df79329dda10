import type { Part } from './http.ts';

export const answerDeviceSettings: Part = () => false;

/** Paths of the icons on a grid of 16, drawn with a line of 1.6. */
export const ICONS = {
  check: 'M3.5 8.5l3 3 6-7',
  alert: 'M8 2.2L14.4 13.4H1.6zM8 6.4v3.2M8 11.5v.1',
  offline:
    'M2 2l12 12M4.2 9.4a5 5 0 0 1 2-1.3M9.8 8.1a5 5 0 0 1 2 1.3M1.8 6.6a9 9 0 0 1 2.3-1.6M7 4a9 9 0 0 1 7.2 2.6M8 12.2v.1',
  unknown: 'M5.8 6a2.3 2.3 0 1 1 3.3 2c-.8.4-1.1.8-1.1 1.6M8 12v.1',
  dot: 'M7 8h2',
  plus: 'M8 3v10M3 8h10',
  copy: 'M6 5.5h7v8H6zM3.5 10.5h-1v-8h7v1',
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M4 6.2l4 4 4-4',
  back: 'M9.8 3.5L5.3 8l4.5 4.5',
  user: 'M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM2.8 13.6a5.2 5.2 0 0 1 10.4 0',
  down: 'M8 3v10M4 9l4 4 4-4',
  up: 'M8 13V3M4 7l4-4 4 4',
  eye: 'M1.6 8S4 3.6 8 3.6 14.4 8 14.4 8 12 12.4 8 12.4 1.6 8 1.6 8zM8 9.9a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8z',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2',
  bell: 'M4 11V7a4 4 0 0 1 8 0v4l1.2 1.4H2.8zM6.8 13.6h2.4',
  log: 'M3 3.5h10M3 8h10M3 12.5h6',
  devices: 'M2.5 3h11v7.5h-11zM6 13.2h4M8 10.5v2.7',
  edit: 'M10.6 3l2.4 2.4L6 12.4l-3 .6.6-3z',
  bin: 'M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.6 9h5.8l.6-9',
  gear: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6',
  mute: 'M2 2l12 12M4 7v4l-1.2 1.4h9.6M5 4.4A4 4 0 0 1 12 7v2.4M6.8 13.6h2.4',
} as const;

export type IconName = keyof typeof ICONS;

/** What only some of the invented machines have. */
import type { Container, Device, DeviceMetrics, NetworkUse } from '../src/api/types.ts';

const MIB = 1024 ** 2;

interface Extras {
  drives?: readonly string[];
  /** How much of the life of its drives is used up. */
  wear?: number;
  arrays?: DeviceMetrics['arrays'];
  fans?: readonly string[];
  battery?: boolean;
  gpu?: string;
  users?: readonly string[];
  /** Name, image, usual CPU in percent, memory in MiB. */
  containers?: readonly [name: string, image: string, cpu: number, memory: number][];
  ended?: readonly Container[];
  throttling?: DeviceMetrics['throttling'];
  failing?: readonly string[];
  links?: Record<string, Partial<NetworkUse>>;
  isVirtual?: boolean;
  info?: Pick<NonNullable<Device['info']>, 'restart_required' | 'updates'>;
}

const EXTRAS: Record<string, Extras> = {
  nas: {
    drives: ['sda', 'sdb', 'sdc'],
    arrays: [{ name: 'md0', level: 'raid1', drives: 2, missing: 1, action: 'recover' }],
    fans: ['nct6775 fan1', 'nct6775 fan2'],
    users: ['marie'],
    containers: [
      ['cloud', 'nextcloud:30-apache', 6, 420],
      ['cloud-db', 'postgres:16', 3, 310],
      ['media', 'jellyfin/jellyfin:10.10', 22, 890],
      ['paperless', 'ghcr.io/paperless-ngx/paperless-ngx:2.13', 4, 512],
      ['pihole', 'pihole/pihole:2024.07', 1, 96],
      ['proxy', 'caddy:2.8', 1, 38],
      ['redis', 'redis:7.4', 0.4, 12],
    ],
    ended: [
      { name: 'backup', image: 'restic/restic:0.17', state: 'exited' },
      {
        name: 'mail',
        image: 'docker.io/mailserver/docker-mailserver:14',
        state: 'running',
        cpu_percent: 0.2,
        memory_bytes: 203 * MIB,
        healthy: false,
      },
    ],
    links: {
      eth0: { link: true, link_mbit_per_sec: 1000, receive_errors: 3, dropped: 128 },
      eth1: { link: false },
    },
    info: { restart_required: true, updates: { pending: 12, security: 3 } },
  },
  'web-02': {
    drives: ['vda', 'vdb'],
    isVirtual: true,
    links: { ens18: { link: true, link_mbit_per_sec: 10_000 } },
    info: { restart_required: false, updates: { pending: 0 } },
  },
  hub: {
    drives: ['mmcblk0'],
    wear: 30,
    throttling: { undervoltage: true, throttled: false },
    failing: ['users'],
    links: {
      eth0: { link: true, link_mbit_per_sec: 100 },
      wlan0: { link: true, signal_dbm: -61 },
    },
  },
  'ws-05': {
    throttling: { throttled: true },
    drives: ['nvme0n1'],
    battery: true,
    gpu: 'card0 amdgpu',
    users: ['ada', 'grace'],
    info: { updates: { pending: 4 } },
  },
};

/** The series that a machine has beside the basics. */
export function extraNames(id: string): string[] {
  const extras = EXTRAS[id];
  if (extras === undefined) return [];
  const { drives = [], fans = [], containers = [], battery, gpu, links = {} } = extras;
  return [
    'cpu_user',
    'cpu_system',
    'cpu_iowait',
    ...(extras.isVirtual === true ? ['cpu_steal'] : []),
    'psi_cpu',
    'psi_memory',
    'psi_io',
    ...drives.flatMap((drive) => [`read:${drive}`, `written:${drive}`, `busy:${drive}`]),
    ...fans.map((fan) => `fan:${fan}`),
    ...(battery === true ? ['battery:BAT0'] : []),
    ...(gpu === undefined ? [] : [`gpu:${gpu}`]),
    ...Object.keys(links).flatMap((link) =>
      links[link]?.signal_dbm === undefined ? [] : [`signal:${link}`],
    ),
    ...containers.flatMap(([name]) => [`container_cpu:${name}`, `container_memory_bytes:${name}`]),
  ];
}

/** `level`: a wave of this series from 0 to 1; `cpu`: that of the machine, in percent. */
export function extraValueAt(id: string, metric: string, level: number, cpu: number) {
  const [kind = '', subject] = metric.split(/:(.*)/s, 2);
  const container = EXTRAS[id]?.containers?.find(([name]) => name === subject);
  switch (kind) {
    case 'cpu_user':
      return tenth(cpu * 0.66);
    case 'cpu_system':
      return tenth(cpu * 0.22);
    case 'cpu_iowait':
      return tenth(cpu * 0.08 * level);
    case 'cpu_steal':
      return tenth(level * 2.5);
    case 'psi_cpu':
      return tenth(cpu * 0.4 * level);
    case 'psi_memory':
      return tenth(level ** 6 * 3);
    case 'psi_io':
      return tenth(level ** 3 * 18);
    case 'read':
      return Math.round(9e7 * level ** 8);
    case 'written':
      return Math.round(3e7 * level ** 5);
    case 'busy':
      return tenth(level ** 4 * 90);
    case 'fan':
      return Math.round((700 + 500 * level) / 10) * 10;
    case 'battery':
      return tenth(40 + 55 * level);
    case 'gpu':
      return Math.round(level ** 3 * 60);
    case 'signal':
      return Math.round(-66 + 8 * level);
    case 'container_cpu':
      return container && tenth(container[2] * (0.4 + level));
    case 'container_memory_bytes':
      return container && Math.round(container[3] * (0.9 + 0.2 * level)) * MIB;
    default:
      return undefined;
  }
}

/** The part of a sample that only some machines have. `value`: of a series, by its name. */
export function extraMetrics(
  id: string,
  value: (metric: string) => number,
): Partial<DeviceMetrics> {
  const extras = EXTRAS[id];
  if (extras === undefined) return {};
  const { drives = [], fans = [], containers = [], ended = [] } = extras;
  return {
    cpu_modes: {
      user_percent: value('cpu_user'),
      system_percent: value('cpu_system'),
      iowait_percent: value('cpu_iowait'),
      irq_percent: 0.2,
      steal_percent: extras.isVirtual === true ? value('cpu_steal') : 0,
    },
    pressure: {
      cpu_percent: value('psi_cpu'),
      memory_percent: value('psi_memory'),
      memory_full_percent: 0,
      io_percent: value('psi_io'),
      io_full_percent: 0,
    },
    processes: { total: 214, running: 2, blocked: 0 },
    drives: drives.map((name) => ({
      name,
      read_bytes: 4e11,
      written_bytes: 9e10,
      read_bytes_per_sec: value(`read:${name}`),
      written_bytes_per_sec: value(`written:${name}`),
      busy_percent: value(`busy:${name}`),
      ...(extras.wear === undefined ? {} : { wear_percent: extras.wear }),
    })),
    fans: fans.map((sensor) => ({ sensor, rpm: value(`fan:${sensor}`) })),
    containers: [
      ...containers.map(([name, image]) => ({
        name,
        image,
        state: 'running' as const,
        cpu_percent: value(`container_cpu:${name}`),
        memory_bytes: value(`container_memory_bytes:${name}`),
      })),
      ...ended,
    ],
    ...(extras.arrays === undefined ? {} : { arrays: extras.arrays }),
    ...(extras.battery === true
      ? {
          batteries: [
            {
              name: 'BAT0',
              percent: value('battery:BAT0'),
              state: 'discharging' as const,
              watts: 7.4,
              health_percent: 92.5,
            },
          ],
        }
      : {}),
    ...(extras.gpu === undefined
      ? {}
      : { gpus: [{ name: extras.gpu, usage_percent: value(`gpu:${extras.gpu}`) }] }),
    ...(extras.users === undefined ? {} : { users: [...extras.users] }),
    ...(extras.throttling === undefined ? {} : { throttling: extras.throttling }),
    ...(extras.failing === undefined ? {} : { failing: [...extras.failing] }),
  };
}

export function extraLink(id: string, name: string): Partial<NetworkUse> {
  return EXTRAS[id]?.links?.[name] ?? {};
}

export function extraInfo(id: string) {
  return EXTRAS[id]?.info ?? {};
}

/** A disk that is more than a place on a drive. */
export function extraDisk(id: string, mount: string): Partial<DeviceMetrics['disks'][number]> {
  if (id === 'web-02' && mount === '/mnt/backup') return { remote: true, unresponsive: true };
  if (id === 'nas' && mount === '/backup') return { read_only: true };
  return { inodes: { total: 31_227_904, used: 812_345, used_percent: 2.6 } };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/**
 * An invented fleet whose values are functions of time: what the stream says now is what the
 * history says later.
 */
import type { Device, DeviceMetrics, Service, ServiceList, Trouble } from '../src/api/types.ts';
import {
  extraDisk,
  extraInfo,
  extraLink,
  extraMetrics,
  extraNames,
  extraValueAt,
} from './extras.ts';

const GIB = 1024 ** 3;
export const STARTED = Date.now();
const MINUTE = 60_000;

export const INTERVAL_MS = 3_000;

/** What is asked of the mock: cookie `mock=empty`, for example. */
export const SCENARIOS = ['fleet', 'well', 'empty', 'setup', 'faults', 'lost'] as const;
export type Scenario = (typeof SCENARIOS)[number];

interface Plan {
  id: string;
  os: string;
  kernel?: string;
  architecture: string;
  processor?: string;
  cores: number;
  memory: number;
  disks: [mount: string, device: string, fileSystem: string, bytes: number, used: number][];
  interfaces: [name: string, address: string][];
  sensors: string[];
  /** Usual CPU load in percent. */
  busy: number;
  upDays: number;
  failed?: string[];
  offlineMs?: number;
  /** So many of its samples are lost. */
  lost?: number;
  /** Its clock is ahead by so many seconds. */
  ahead?: number;
}

const DEBIAN = { os: 'Debian GNU/Linux 12', kernel: '6.1.0-28-amd64', architecture: 'x86_64' };

function workstation(number: number): Plan {
  const windows = number % 3 === 0;
  return {
    id: `ws-${String(number).padStart(2, '0')}`,
    ...(windows
      ? { os: 'Windows 11 Pro 23H2', architecture: 'x86_64' }
      : { os: 'Ubuntu 24.04.1 LTS', kernel: '6.8.0-48-generic', architecture: 'x86_64' }),
    processor: windows ? 'Intel Core i5-12400' : 'AMD Ryzen 5 5600G',
    cores: 12,
    memory: 16 * GIB,
    disks: windows
      ? [['C:', 'C:', 'NTFS', 476 * GIB, 30 + ((number * 17) % 50)]]
      : [['/', '/dev/nvme0n1p2', 'ext4', 468 * GIB, 20 + ((number * 23) % 55)]],
    interfaces: [[windows ? 'Ethernet' : 'enp3s0', `192.168.1.${100 + number}`]],
    sensors: windows ? [] : ['Tctl'],
    busy: 4 + ((number * 7) % 22),
    upDays: (number * 5) % 13,
    ...(number === 14 ? { offlineMs: 4 * MINUTE + 12_000 } : {}),
  };
}

const PLANS: Plan[] = [
  {
    id: 'nas',
    ...DEBIAN,
    processor: 'Intel Celeron J4125',
    cores: 4,
    memory: 8 * GIB,
    disks: [
      ['/', '/dev/sda2', 'ext4', 110 * GIB, 41],
      ['/srv', '/dev/md0', 'ext4', 7452 * GIB, 96.2],
      ['/backup', '/dev/sdd1', 'btrfs', 3726 * GIB, 63],
    ],
    interfaces: [
      ['eth0', '192.168.1.10'],
      ['eth1', '10.0.0.2'],
    ],
    sensors: ['Package id 0', 'sda', 'sdb'],
    busy: 18,
    upDays: 41.2,
  },
  {
    id: 'web-02',
    ...DEBIAN,
    processor: 'AMD EPYC 7302P',
    cores: 8,
    memory: 32 * GIB,
    disks: [
      ['/', '/dev/vda1', 'ext4', 78 * GIB, 52],
      ['/var/lib/postgresql', '/dev/vdb', 'xfs', 196 * GIB, 71],
      ['/mnt/backup', 'nas:/backup', 'nfs4', 3726 * GIB, 63],
    ],
    interfaces: [['ens18', '192.168.1.22']],
    sensors: [],
    busy: 35,
    upDays: 118.4,
    failed: ['certbot.service', 'php8.2-fpm.service'],
  },
  {
    id: 'hub',
    os: 'Raspberry Pi OS 12',
    kernel: '6.6.51+rpt-rpi-v8',
    architecture: 'aarch64',
    processor: 'Cortex-A53',
    cores: 4,
    memory: 0.89 * GIB,
    disks: [['/', '/dev/mmcblk0p2', 'ext4', 29 * GIB, 34]],
    interfaces: [
      ['eth0', '192.168.1.2'],
      ['wlan0', '192.168.1.3'],
    ],
    sensors: ['cpu-thermal'],
    ahead: -5412.4,
    lost: 12_345,
    busy: 9,
    upDays: 23.1,
  },
  {
    id: 'router',
    os: 'OpenWrt 23.05.5',
    kernel: '5.15.167',
    architecture: 'mips',
    cores: 1,
    memory: 0.12 * GIB,
    disks: [['/overlay', '/dev/mtdblock6', 'jffs2', 0.02 * GIB, 23]],
    interfaces: [
      ['br-lan', '192.168.1.1'],
      ['wan', '203.0.113.7'],
    ],
    sensors: [],
    busy: 6,
    upDays: 201,
  },
  ...Array.from({ length: 19 }, (_, at) => workstation(at + 1)),
];

/** A number between 0 and 1 that is always the same for the same input. */
function noise(seed: string, at: number): number {
  let hash = 2166136261 ^ Math.floor(at);
  for (let i = 0; i < seed.length; i += 1) hash = Math.imul(hash ^ seed.charCodeAt(i), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Waves of several lengths with a little noise, from 0 to 1. */
function wave(seed: string, time: number): number {
  const phase = noise(seed, 7) * 1000;
  const minutes = time / MINUTE + phase;
  const slow = Math.sin(minutes / 190) * 0.25 + Math.sin(minutes / 47) * 0.2;
  const quick = Math.sin(minutes / 6.1) * 0.12 + Math.sin(minutes / 1.3) * 0.06;
  const burst = noise(seed, time / 240_000) > 0.9 ? 0.3 : 0;
  const jitter = (noise(seed, time / INTERVAL_MS) - 0.5) * 0.14;
  return Math.min(1, Math.max(0, 0.45 + slow + quick + burst + jitter));
}

const clamp = (value: number) => Math.round(Math.min(100, Math.max(0, value)) * 10) / 10;

/** The value of a metric of a device, under the names of the history. */
export function valueAt(id: string, metric: string, time: number): number | null {
  const plan = PLANS.find((candidate) => candidate.id === id);
  if (!plan || isDown(plan, time)) return null;
  const [kind, subject] = metric.split(/:(.*)/s, 2);
  const level = wave(`${id} ${metric}`, time);
  const load = wave(`${id} cpu`, time);
  const cpu = clamp(plan.busy * (0.3 + 1.6 * load ** 1.5));
  switch (kind) {
    case 'cpu':
      return cpu;
    case 'ram':
      return clamp(38 + noise(id, 1) * 25 + level * 14);
    case 'swap':
      return clamp(3 + level * 6);
    case 'load1':
      return Math.round(((plan.busy / 100) * plan.cores * (0.4 + 1.3 * load) + 0.02) * 100) / 100;
    case 'disk': {
      const disk = plan.disks.find(([mount]) => mount === subject);
      const answers = extraDisk(id, subject ?? '').unresponsive !== true;
      return disk && answers ? clamp(disk[4] - (STARTED - time) / 864e5 / 9 + level * 0.3) : null;
    }
    case 'rx':
    case 'tx':
      return Math.round((kind === 'rx' ? 2.4e6 : 4e5) * (plan.busy / 20) * level ** 4 + 900);
    case 'temp':
      return Math.round((34 + noise(metric, 3) * 10 + load * 18) * 10) / 10;
    default:
      return extraValueAt(id, metric, level, cpu) ?? null;
  }
}

/** Besides what is planned, every device was away for 7 minutes about half an hour ago. */
function isDown(plan: Plan, time: number): boolean {
  if (plan.offlineMs !== undefined && time > STARTED - plan.offlineMs) return true;
  const ago = STARTED - time;
  return plan.id === 'nas' && ago > 31 * MINUTE && ago < 38 * MINUTE;
}

export function metricNames(id: string): string[] {
  const plan = PLANS.find((candidate) => candidate.id === id);
  if (!plan) return [];
  const windows = plan.os.startsWith('Windows');
  return [
    'cpu',
    'ram',
    ...(windows ? [] : ['swap', 'load1']),
    ...plan.disks.map(([mount]) => `disk:${mount}`),
    ...plan.interfaces.flatMap(([name]) => [`rx:${name}`, `tx:${name}`]),
    ...plan.sensors.map((sensor) => `temp:${sensor}`),
    ...extraNames(id),
  ];
}

function memory(total: number, percent: number) {
  return {
    total_bytes: Math.round(total),
    used_bytes: Math.round((total * percent) / 100),
    used_percent: percent,
  };
}

function diskAt(id: string, mount: string, bytes: number, percent: number) {
  const available_bytes = Math.round(bytes * (1 - percent / 100));
  const extra = extraDisk(id, mount);
  const { used_percent, ...rest } = memory(bytes, percent);
  const share = extra.unresponsive === true ? {} : { used_percent };
  return { mount, ...rest, ...share, available_bytes, ...extra };
}

export function metricsAt(id: string, time: number): DeviceMetrics | undefined {
  const plan = PLANS.find((candidate) => candidate.id === id);
  if (!plan) return undefined;
  const value = (metric: string) => valueAt(id, metric, time) ?? 0;
  const cpu = value('cpu');
  const windows = plan.os.startsWith('Windows');
  const load = value('load1');
  return {
    time: new Date(time).toISOString(),
    uptime_secs: Math.round(plan.upDays * 86_400 + (time - STARTED) / 1000 + 4000),
    cpu_percent: cpu,
    per_core_percent: Array.from({ length: plan.cores }, (_, core) =>
      clamp(cpu * (0.4 + 1.2 * noise(`${id} core ${String(core)}`, time / INTERVAL_MS))),
    ),
    ...(windows ? {} : { load: { one: load, five: load * 0.9, fifteen: load * 0.8 } }),
    memory: memory(plan.memory, value('ram')),
    ...(windows ? {} : { swap: memory(2 * GIB, value('swap')) }),
    disks: plan.disks.map(([mount, , , bytes, used]) =>
      diskAt(id, mount, bytes, valueAt(id, `disk:${mount}`, time) ?? used),
    ),
    network: plan.interfaces.map(([name]) => ({
      interface: name,
      received_bytes: 8e9,
      sent_bytes: 2e9,
      received_bytes_per_sec: value(`rx:${name}`),
      sent_bytes_per_sec: value(`tx:${name}`),
      ...extraLink(id, name),
    })),
    temperatures: plan.sensors.map((sensor) => ({ sensor, celsius: value(`temp:${sensor}`) })),
    ...extraMetrics(id, value),
  };
}

const LIMITS = { cpu_percent: 90, ram_percent: 90, disk_percent: 90 };

function troublesOf(plan: Plan, metrics: DeviceMetrics | undefined, offline: boolean): Trouble[] {
  if (offline) return [{ kind: 'offline' }];
  const disks = (metrics?.disks ?? [])
    .map((disk) => ({ mount: disk.mount, percent: disk.used_percent ?? 0 }))
    .filter((disk) => disk.percent > LIMITS.disk_percent)
    .map((disk) => ({
      kind: 'disk' as const,
      subject: disk.mount,
      value: disk.percent,
      limit: LIMITS.disk_percent,
    }));
  const failed = plan.failed ?? [];
  return failed.length > 0
    ? [...disks, { kind: 'services', subject: failed.join(', '), value: failed.length }]
    : disks;
}

export function devicesAt(scenario: Scenario, time: number): Device[] {
  if (scenario === 'empty' || scenario === 'setup') return [];
  return PLANS.filter((plan) => scenario !== 'well' || isWell(plan)).map((plan) => {
    const offline = isDown(plan, time);
    const seen = offline ? STARTED - (plan.offlineMs ?? 0) : time;
    const metrics = metricsAt(plan.id, seen);
    const services = servicesOf(plan.id).items;
    return {
      id: plan.id,
      name: plan.id,
      status: offline ? 'offline' : 'online',
      since: new Date(offline ? seen : STARTED - 3 * 864e5).toISOString(),
      ...(plan.ahead === undefined ? {} : { clock_skew_secs: plan.ahead }),
      ...(plan.lost === undefined ? {} : { samples_lost: plan.lost }),
      last_seen: new Date(seen).toISOString(),
      agent_version: '0.1.0',
      info: {
        host_name: plan.id,
        os: plan.os,
        ...(plan.kernel === undefined ? {} : { kernel: plan.kernel }),
        architecture: plan.architecture,
        ...(plan.processor === undefined ? {} : { processor: plan.processor }),
        cores: plan.cores,
        memory_bytes: Math.round(plan.memory),
        disks: plan.disks.map(([mount, device, file_system, bytes]) => ({
          mount,
          device,
          file_system,
          total_bytes: Math.round(bytes),
        })),
        interfaces: plan.interfaces.map(([name, address], at) => ({
          name,
          mac: `02:1c:42:5e:${(at + 16).toString(16)}:${(plan.id.length + 30).toString(16)}`,
          addresses: [address, 'fe80::1c:42ff:fe5e:10'],
        })),
        interval_secs: INTERVAL_MS / 1000,
        ...extraInfo(plan.id),
      },
      ...(metrics === undefined ? {} : { metrics }),
      services: {
        total: services.length,
        running: services.filter((service) => service.state === 'running').length,
        failed: services.filter((service) => service.state === 'failed').length,
        failed_names: plan.failed ?? [],
      },
      troubles: troublesOf(plan, metrics, offline),
      limits: LIMITS,
      groups: [],
      always_on: false,
      alerts: [],
    };
  });
}

function isWell(plan: Plan): boolean {
  return plan.failed === undefined && plan.offlineMs === undefined && plan.id !== 'nas';
}

const SERVICES = [
  ['cron', 'Regular background program processing'],
  ['dbus', 'D-Bus system message bus'],
  ['mosquitto', 'Mosquitto MQTT broker'],
  ['netmonitor-agent', 'NetMonitor agent'],
  ['networking', 'Raise network interfaces'],
  ['nginx', 'A high performance web server and a reverse proxy server'],
  ['rsyslog', 'System logging service'],
  ['smartmontools', 'Self-monitoring of disks'],
  ['ssh', 'OpenBSD secure shell server'],
  ['systemd-journald', 'Journal service'],
  ['systemd-logind', 'User login management'],
  ['systemd-timesyncd', 'Network time synchronization'],
  ['systemd-udevd', 'Rule-based manager for device events and files'],
  ['unattended-upgrades', 'Unattended upgrades shutdown'],
  ['getty@tty1', 'Getty on tty1'],
  ['user@1000', 'User manager for UID 1000'],
  ['apt-daily', 'Daily apt download activities'],
  ['fstrim', 'Discard unused blocks on filesystems'],
  ['logrotate', 'Rotate log files'],
  ['man-db', 'Daily man-db regeneration'],
] as const;

export function servicesOf(id: string): ServiceList {
  const plan = PLANS.find((candidate) => candidate.id === id);
  const failed = (plan?.failed ?? []).map<Service>((name) => ({
    name,
    state: 'failed',
    since: new Date(STARTED - 47 * MINUTE).toISOString(),
    restarts: 5,
    watched: name.startsWith('php'),
    description: name.startsWith('php') ? 'The PHP 8.2 FastCGI process manager' : 'Certbot',
  }));
  const windows = plan?.os.startsWith('Windows') ?? false;
  const usual = SERVICES.map<Service>(([name, description], at) => ({
    name: windows ? name : `${name}.service`,
    state: at > 15 ? 'stopped' : 'running',
    ...(at > 15
      ? {}
      : { since: new Date(STARTED - (plan?.upDays ?? 1) * 0.99 ** at * 864e5).toISOString() }),
    restarts: name === 'smartmontools' ? 1 : 0,
    watched: name === 'nginx' || name === 'ssh',
    description,
  }));
  const missing: Service[] =
    id === 'hub' ? [{ name: 'backup.service', state: 'missing', restarts: 0, watched: true }] : [];
  return { items: [...failed, ...missing, ...usual], manager: windows ? 'windows' : 'systemd' };
}

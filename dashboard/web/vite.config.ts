import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import packageJson from './package.json' with { type: 'json' };
import { compress } from './build/compress.ts';
import { mockApi } from './mock-api/plugin.ts';

// The crate's build script says the version; `npm run dev` takes package.json's.
const version = process.env['NETMONITOR_VERSION'] ?? packageJson.version;
// `NETMONITOR_HUB=http://127.0.0.1:8080 npm run dev` talks to a real hub, otherwise the mock answers.
const hub = process.env['NETMONITOR_HUB'];

export default defineConfig({
  plugins: [svelte(), compress(), ...(hub ? [] : [mockApi()])],
  define: { __VERSION__: JSON.stringify(version) },
  server: hub ? { proxy: { '/api': hub } } : {},
  build: {
    target: 'es2022',
    // A `data:` address would need a hole in the content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  test: { include: ['src/**/*.test.ts'] },
});

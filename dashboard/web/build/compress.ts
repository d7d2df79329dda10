import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(css|html|js|json|svg|webmanifest)$/;

/** Writes `name.br` and `name.gz` beside every text file of the build, where that is smaller. */
export function compress(): Plugin {
  let folder = '';
  return {
    name: 'netmonitor-compress',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
      if (config.build.outDir.startsWith('/')) folder = config.build.outDir;
    },
    async closeBundle() {
      const names = await readdir(folder, { recursive: true });
      for (const name of names.filter((name) => COMPRESSIBLE.test(name))) {
        const file = join(folder, name);
        const plain = await readFile(file);
        const variants = [
          ['br', brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })],
          ['gz', gzipSync(plain, { level: 9 })],
        ] as const;
        for (const [suffix, bytes] of variants) {
          if (bytes.length < plain.length) await writeFile(`${file}.${suffix}`, bytes);
        }
      }
    },
  };
}

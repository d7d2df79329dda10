import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
    { ignores: ['dist', 'node_modules', 'src/api/__generated__'] },
    js.configs.recommended,
    ...ts.configs.strict,
    ...svelte.configs.recommended,
    { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
    {
        files: ['**/*.svelte', '**/*.svelte.ts'],
        languageOptions: {
            parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
        },
        rules: {
            // The router is our own (src/lib/router.ts), not SvelteKit's.
            'svelte/no-navigation-without-resolve': 'off',
            // svelte-check knows which names exist, and its own comments.
            'no-undef': 'off',
            'svelte/no-unused-svelte-ignore': 'off',
        },
    },
    {
        rules: {
            // French has a no-break space before some signs.
            'no-irregular-whitespace': ['error', { skipStrings: true, skipTemplates: true }],
            // Takes `this.#timer ??= …` for a write only.
            'no-unused-private-class-members': 'off',
        },
    },
    {
        files: ['src/**/*'],
        ignores: ['src/api/**'],
        rules: {
            'no-restricted-globals': [
                'error',
                { name: 'fetch', message: 'src/api is the only place that speaks to the hub.' },
                {
                    name: 'EventSource',
                    message: 'src/api is the only place that speaks to the hub.',
                },
            ],
        },
    },
);

/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { start } from './start/plugin'
import { serviceWorker } from './worker/plugin'

export default defineConfig(({ command, mode }) => ({
  plugins: [react(), tailwindcss(), start(), serviceWorker()],
  resolve: {
    alias:
      command === 'build' && mode === 'production'
        ? [
            {
              // react-router 7 exports its development build to bundlers, with all its warnings.
              find: /^react-router$/,
              replacement: fileURLToPath(
                new URL('node_modules/react-router/dist/production/index.mjs', import.meta.url),
              ),
            },
          ]
        : [],
  },
  server: {
    proxy: { '/api': process.env.KPI_API_URL ?? 'http://localhost:7071' },
  },
  build: {
    modulePreload: {
      // What the first load brought is there already when something is loaded lazily.
      resolveDependencies: (_file, needed, { hostType }) =>
        hostType === 'js'
          ? needed.filter((file) => !/(vendor|rolldown-runtime|first)-/.test(file))
          : needed,
    },
    manifest: true,
    // Nothing is inlined: the content security policy allows no data: fonts or styles.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What seldom changes, apart from the page's own code, so that a new version costs a visitor little.
            {
              name: 'vendor',
              test: /rolldown\/runtime|node_modules\/(react|react-dom|scheduler|react-router|@tanstack)\/(?!.*(utation|ueries))/,
            },
            // The first screen in one file: small ones compress badly.
            {
              name: 'first',
              test: /src\/(messages\.|api|lib\/(?!apart|automation|behind|boards|breakdown|correlation|dayNames|days|enter|formatApart|freshWords|gaps|link|may|region|shared|themeChoice|tokens|welcome|worker)|components\/(?!account|board|buttons|breakdown|chart|print|form|ConfirmIdentity|DaysDialog|Dialog|GoalBar|ShortcutList|Unsaved|VerifyBanner|confirm|ui)|app\/(?!Banners|Extras|Guest|Pages|follow|PublicPages|RefreshPanel|TabNotice|panels)|pages\/overview\/(index|queries|Brief|Strip|FreshLine))|lucide-react\/.*(createLucideIcon|Icon|context|shared)/,
            },
            // What follows it at once, each in one file too: a phone pays for every request.
            {
              name: 'below',
              test: /src\/(messages-(later|boards|sources)|lib\/(apart|freshWords)|app\/TabNotice|pages\/overview\/(?!Empty)|components\/(print|chart\/(?!ChartCanvas|picture)))|lucide-react\/.*\/(chevron-right|arrow-down|search)\./,
            },
            {
              name: 'shell',
              test: /src\/(app\/(Extras|RefreshPanel|panels)|components\/(Dialog|ShortcutList|Unsaved)|lib\/worker)|lucide-react\/.*\/(circle-user|log-out|plus|x)\./,
            },
          ],
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test-setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
  },
}))

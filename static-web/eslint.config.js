import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

// Imports go one way: lib (with api) → components → pages → app. A folder may import only from those before it.
const layers = ['lib', 'components', 'pages', 'app']
const oneWay = layers.slice(0, -1).map((layer, i) => ({
  files: layer === 'lib' ? ['src/lib/**', 'src/api/**'] : [`src/${layer}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: layers.slice(i + 1).map((later) => ({
          regex: `^\\.{1,2}/(.*/)?${later}(/|$)`,
          message: `Imports go one way, lib → components → pages → app: ${layer} may not import from ${later}.`,
        })),
      },
    ],
  },
}))

export default tseslint.config(
  { ignores: ['dist', 'src/api/schema.d.ts', 'dev'] },
  ...tseslint.configs.strict,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      ...tseslint.configs.recommendedTypeCheckedOnly,
      reactHooks.configs.flat['recommended-latest'],
      jsxA11y.flatConfigs.strict,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      // A chart's points are walked with the arrow keys, and a region that scrolls must be reachable without a mouse.
      'jsx-a11y/no-noninteractive-tabindex': ['error', { roles: ['application', 'region'] }],
    },
  },
  ...oneWay,
  {
    // What is typed behind the sign-in is not lost: components/form/useDraft keeps it. Passwords and codes are not kept, and before the sign-in there is nobody to keep them for.
    files: ['src/pages/**'],
    ignores: [
      ...[
        'forgot-password',
        'second-factor',
        'register',
        'sign-in',
        'invitation',
        'reset-password',
        'verify-email',
      ].map((page) => `src/pages/${page}/**`),
      'src/pages/settings/Profile.tsx',
      'src/pages/settings/SecondFactorPart.tsx',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "ImportDeclaration[source.value='react-hook-form'] ImportSpecifier[imported.name='useForm']",
          message: 'Forms behind the sign-in use useDraft, which keeps what was typed.',
        },
      ],
    },
  },
)

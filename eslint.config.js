import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const nodeOnly =
  'The core runs in browsers as well: what needs Node belongs in lib/node, lib/report or lib/command-line.';

export default defineConfig(
  globalIgnores(['dist', 'docs/api', 'lib/generated', 'runs', 'coverage', 'bench/peers']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A traced function may return nothing: `void` is a member of what it may return.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/node/**', 'lib/report/**', 'lib/command-line/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(node:|pngjs|webgpu$)', message: nodeOnly, allowTypeImports: true }] },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', '__dirname'].map((name) => ({ name, message: nodeOnly })),
      ],
    },
  },
);

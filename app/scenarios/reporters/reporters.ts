/** Every report there is. Several can be made of one run; none takes another's place. */
import type { ReporterDefinition } from '../report.ts';
import { github } from './github.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { junit } from './junit.ts';
import { markdown } from './markdown.ts';
import { pretty } from './pretty.ts';
import { tap } from './tap.ts';

export const reporters: readonly ReporterDefinition[] = [
  pretty,
  json,
  junit,
  tap,
  html,
  markdown,
  github,
];

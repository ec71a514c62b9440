import type { Scenario } from '../../scenarios/scenario.ts';

export const scenarios: readonly Scenario[] = [];

/** Holds what was measured against the targets. */
import { meanRatio, type RowResult, warmRows } from "./results.ts";
import { type Goal, goalsOf, meanGoals, UNTOUCHED_OF_BARE } from "./targets.ts";

/** "none": nothing to compare with. */
export type Verdict = "wanted" | "holds" | "missed" | "none";

export interface Finding extends Goal {
  readonly row: string;
  readonly ratio: number;
  readonly verdict: Exclude<Verdict, "none">;
}

const nodeMajor = Number.parseInt(process.versions.node, 10);

/** One finding for each goal of the row that has a number. Only foliofs has targets. */
export function rowFindings(row: RowResult): Finding[] {
  return goalsOf(row.id, nodeMajor).flatMap((goal) =>
    judge(row.title, row.ratio(goal.of, "foliofs"), withinReach(row, goal)),
  );
}

/** On untouched memory a peer may be faster than the bare loop: then 0.85 of that loop is what can be asked for. */
function withinReach(row: RowResult, goal: Goal): Goal {
  const bareRatio = row.memory === "untouched" ? row.ratio(goal.of, "bare") : undefined;
  if (bareRatio === undefined || goal.of === "bare") return goal;
  const reach = bareRatio * UNTOUCHED_OF_BARE;
  return { ...goal, must: Math.min(goal.must, reach), wanted: Math.min(goal.wanted, reach) };
}

/** Findings on the geometric means. */
export function meanFindings(rows: readonly RowResult[]): Finding[] {
  const warm = warmRows(rows);
  return meanGoals(nodeMajor).flatMap((goal) => judge("geometric mean", meanRatio(warm, goal.of, "foliofs"), goal));
}

/** The worst of the findings. */
export function overall(findings: readonly Finding[]): Verdict {
  if (findings.length === 0) return "none";
  if (findings.some(({ verdict }) => verdict === "missed")) return "missed";
  return findings.every(({ verdict }) => verdict === "wanted") ? "wanted" : "holds";
}

function judge(row: string, ratio: number | undefined, goal: Goal): Finding[] {
  if (ratio === undefined) return [];
  const verdict = ratio >= goal.wanted ? "wanted" : ratio >= goal.must ? "holds" : "missed";
  return [{ ...goal, row, ratio, verdict }];
}

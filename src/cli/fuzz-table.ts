/** `foliofs fuzz --table`: findings at a glance, in Markdown. */
import { type Call, type Finding, showCall, shownOutcomes } from "../fuzz.ts";

/** Characters of an outcome that are shown. */
const SHOWN_OUTCOME = 80;

/** @returns its lines: what most programs have shown first */
export function tableOf(findings: readonly Finding[]): string[] {
  const rows = findings.toSorted((a, b) => b.nrSeen - a.nrSeen).map(rowOf);
  return ["| programs | calls, shrunk | oracle | subject |", "|---|---|---|---|", ...rows];
}

function rowOf({ program: { calls, difference }, nrSeen }: Finding): string {
  const outcomes = shownOutcomes(difference).map((outcome) => outcome.slice(0, SHOWN_OUTCOME));
  const cells = [calls.map(shownCall).join("; "), ...outcomes].map((text) => `\`${text.replaceAll("|", "\\|")}\``);
  return `| ${[nrSeen, ...cells].join(" | ")} |`;
}

/** Of the first task without its number: file systems of others have no other one. */
function shownCall(call: Call): string {
  return showCall(call).replace(/^0: /, "");
}

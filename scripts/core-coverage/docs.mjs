/** Writes what a run has reached into docs/coverage.md, between its marks. */
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "docs/coverage.md";
const [BEGIN, END] = ["<!-- by npm run coverage -- --docs -->", "<!-- end -->"];

function named({ path, names }) {
  return names === undefined ? `\`${path}\`` : `${names.map((name) => `\`${name}\``).join(", ")} (${path})`;
}

/** Files with the most of what has no reason. */
function openFiles({ open }, most) {
  const files = new Map();
  for (const { path } of open) files.set(path, (files.get(path) ?? 0) + 1);
  const sorted = [...files].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return sorted.slice(0, most).map(([path, nr]) => `${path} (${nr})`);
}

/** @param report what report() has found */
export function writeDocs({ figures, functions, lines }) {
  const text = [
    ...figures.map((figure) => `- ${figure}`),
    "",
    "| function of the core that is not called | why |",
    "|---|---|",
    ...functions.because.map((one) => `| ${named(one)} | ${one.reason} |`),
    ...functions.open.map((one) => `| ${named({ ...one, names: [one.name] })} | |`),
    "",
    "| lines of `src/` that are not reached | | why |",
    "|---|---|---|",
    ...lines.because.map((one) => `| ${named(one)} | ${one.missed.length} | ${one.reason} |`),
    `| all others | ${lines.open.length} | |`,
    ...(lines.open.length > 0 ? ["", `Most of the others: ${openFiles(lines, 12).join(", ")}.`] : []),
  ].join("\n");
  const [before, rest] = readFileSync(FILE, "utf8").split(BEGIN);
  writeFileSync(FILE, `${before}${BEGIN}\n${text}\n${rest.slice(rest.indexOf(END))}`);
}

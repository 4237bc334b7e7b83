/**
 * Draws the ratios of a run as an SVG: for each row one bar a peer, on a logarithmic axis.
 *
 * Colours follow the reader's light or dark scheme. Does not own: what is measured, the numbers' format.
 */
import { formatRatio } from "./format.ts";
import { type Column, meanRatio, type RowResult, warmRows } from "./results.ts";

const WIDTH = 860;
const LABEL_WIDTH = 250;
const RIGHT_MARGIN = 60;
const BAR_HEIGHT = 10;
const ROW_GAP = 8;
const TOP = 64;
const BOTTOM = 28;
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.small{font-size:10px}
.grid{stroke:#d0d7de}.one{stroke:#57606a}.c0{fill:#2f81c7}.c1{fill:#e0863a}.c2{fill:#6f9c4b}.c3{fill:#8f6bbf}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}.one{stroke:#8b949e}}`;

interface Line {
  readonly label: string;
  /** In the order of the peers. */
  readonly ratios: readonly (number | undefined)[];
}

interface Axis {
  readonly from: number;
  readonly to: number;
}

/** @param peers at most four @param subtitle what ran where, one line */
export function renderChart(
  rows: readonly RowResult[],
  peers: readonly Column[],
  base: Column,
  subtitle: string,
): string {
  const lines = linesOf(rows, peers, base);
  const axis = axisOf(lines);
  const rowHeight = peers.length * BAR_HEIGHT + ROW_GAP;
  const height = TOP + lines.length * rowHeight + BOTTOM;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>How many times ${base} is faster</title><style>${STYLE}</style>`,
    text(0, 18, `How many times ${base} is faster, per call`, "title"),
    text(0, 36, subtitle, "small"),
    ...legend(peers),
    ...grid(axis, height),
    ...lines.flatMap((line, i) => bars(line, TOP + i * rowHeight, axis, peers.length)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function linesOf(rows: readonly RowResult[], peers: readonly Column[], base: Column): Line[] {
  const lines = warmRows(rows).map((row) => ({ label: row.title, ratios: peers.map((peer) => row.ratio(peer, base)) }));
  const means = peers.map((peer) => meanRatio(warmRows(rows), peer, base));
  return [{ label: "geometric mean", ratios: means }, ...lines].filter(({ ratios }) =>
    ratios.some((r) => r !== undefined),
  );
}

/** The ticks around the smallest and the largest ratio, 1 among them. */
function axisOf(lines: readonly Line[]): Axis {
  const ratios = lines.flatMap((line) => line.ratios.filter((ratio) => ratio !== undefined));
  const from = TICKS.findLast((tick) => tick <= Math.min(1, ...ratios)) ?? TICKS[0];
  const to = TICKS.find((tick) => tick >= Math.max(2, ...ratios)) ?? TICKS[TICKS.length - 1];
  return { from, to };
}

function xOf(ratio: number, { from, to }: Axis): number {
  const inside = Math.min(to, Math.max(from, ratio));
  const share = Math.log(inside / from) / Math.log(to / from);
  return Math.round((LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - RIGHT_MARGIN)) * 10) / 10;
}

function bars({ label, ratios }: Line, y: number, axis: Axis, nrPeers: number): string[] {
  const middle = y + (nrPeers * BAR_HEIGHT) / 2 + 4;
  const out = [text(0, middle, label)];
  ratios.forEach((ratio, i) => {
    if (ratio === undefined) return;
    const [start, end] = [xOf(1, axis), xOf(ratio, axis)];
    const x = Math.min(start, end);
    const barY = y + i * BAR_HEIGHT;
    const width = Math.max(1, Math.abs(end - start)).toFixed(1);
    out.push(`<rect class="c${i}" x="${x}" y="${barY}" width="${width}" height="${BAR_HEIGHT - 1}"/>`);
    out.push(text(Math.max(start, end) + 4, barY + BAR_HEIGHT - 1, formatRatio(ratio), "small"));
  });
  return out;
}

function grid(axis: Axis, height: number): string[] {
  const ticks = TICKS.filter((tick) => tick >= axis.from && tick <= axis.to);
  return ticks.flatMap((tick) => {
    const x = xOf(tick, axis);
    const style = tick === 1 ? "one" : "grid";
    return [
      `<line class="${style}" x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${height - BOTTOM + 4}"/>`,
      text(x - 6, height - 8, `${tick}×`, "small"),
    ];
  });
}

function legend(peers: readonly Column[]): string[] {
  return peers.flatMap((peer, i) => {
    const x = LABEL_WIDTH + i * 140;
    return [`<rect class="c${i}" x="${x}" y="43" width="10" height="10"/>`, text(x + 15, 52, `against ${peer}`)];
  });
}

function text(x: number, y: number, content: string, style?: string): string {
  const attribute = style === undefined ? "" : ` class="${style}"`;
  return `<text x="${x}" y="${y}"${attribute}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
}

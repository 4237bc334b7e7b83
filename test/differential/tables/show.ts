/** Shows an argument in the id of a case: short, and never the same for two different ones. */
export function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return `'${value.slice(0, 40)}'`;
  if (typeof value === "function") return `function ${value.name}`; // its text is the transpiler's
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof AbortSignal) return `signal${value.aborted ? ` aborted ${value.reason.name}` : ""}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  return `{${Object.entries(value).map(([key, item]) => `${key}: ${show(item)}`)}}`;
}

/**
 * How values look in messages of argument errors. Uses Node's `util.inspect` when it is there; elsewhere a small one
 * that covers what people pass to a file system by mistake.
 */
import { builtinModule } from "./platform.ts";

interface InspectOptions {
  depth?: number;
}
type Inspect = (value: unknown, options?: InspectOptions) => string;

const nodeInspect = builtinModule<{ inspect: Inspect }>("node:util")?.inspect;

/** A value as source-like text. */
export const inspect: Inspect = nodeInspect ?? plainInspect;

function plainInspect(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[Function ${value.name || "(anonymous)"}]`;
  if (Object.is(value, -0)) return "-0";
  if (value === null || typeof value !== "object") return String(value);
  return inspectObject(value);
}

function quote(text: string): string {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : "`";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is made visible here
  const visible = text.replace(/[\x00-\x1f\\]/g, (c) =>
    c === "\\" ? "\\\\" : c === "\n" ? "\\n" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
  );
  return mark + visible + mark;
}

function inspectObject(value: object): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(plainInspect).join(", ")} ]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength}) []`;
  const name = value.constructor?.name;
  const prefix = name === undefined || name === "Object" ? "" : `${name} `;
  const fields = Object.entries(value).map(
    ([key, field]) => `${key}: ${typeof field === "object" ? "[Object]" : plainInspect(field)}`,
  );
  return fields.length === 0 ? `${prefix}{}` : `${prefix}{ ${fields.join(", ")} }`;
}

/** What was received instead, in the words of Node's ERR_INVALID_ARG_TYPE. @see Node 26 lib/internal/errors.js */
export function describeReceived(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case "function":
      return `function ${value.name}`;
    case "object": {
      const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
      return typeof name === "string" && name !== "" ? `an instance of ${name}` : inspect(value, { depth: -1 });
    }
    case "string":
      return describeString(value);
    case "bigint":
      return `type bigint (${value}n)`;
    case "number":
      return `type number (${Object.is(value, -0) ? "-0" : value})`;
    default:
      return `type ${typeof value} (${String(value)})`;
  }
}

/** As describeReceived, in the words of Node's native bindings, which differ for functions, bigints and symbols. */
export function describeReceivedNative(value: unknown): string {
  if (typeof value === "function") return "function";
  if (typeof value === "bigint") return `type bigint (${value})`;
  if (typeof value === "symbol") return String(value);
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null)
    return "an instance of Object";
  return describeReceived(value);
}

function describeString(text: string): string {
  const shown = text.length > 28 ? `${text.slice(0, 25)}...` : text;
  return `type string (${shown.includes("'") ? JSON.stringify(shown) : `'${shown}'`})`;
}

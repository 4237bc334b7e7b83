/**
 * Reads from AssemblyScript source what both sides of the Wasm boundary must agree on: the fields of the
 * `@unmanaged export class` records, laid out as the compiler does (C rules), and the integer constants of abi.ts.
 *
 * A scanner for the few forms that assembly/ uses, no parser; it stops with the line where it meets anything else.
 */

/** Size and natural alignment in bytes, and the typed array that reads the type. Other names are references. */
const TYPES = {
  bool: { bytes: 1, array: "Uint8Array" },
  u8: { bytes: 1, array: "Uint8Array" },
  i8: { bytes: 1, array: "Int8Array" },
  u16: { bytes: 2, array: "Uint16Array" },
  i16: { bytes: 2, array: "Int16Array" },
  u32: { bytes: 4, array: "Uint32Array" },
  i32: { bytes: 4, array: "Int32Array" },
  usize: { bytes: 4, array: "Uint32Array" },
  isize: { bytes: 4, array: "Int32Array" },
  f32: { bytes: 4, array: "Float32Array" },
  u64: { bytes: 8, array: "BigUint64Array" },
  i64: { bytes: 8, array: "BigInt64Array" },
  f64: { bytes: 8, array: "Float64Array" },
};
const REFERENCE = { bytes: 4, array: "Uint32Array" };

/** Spells a camelCase or PascalCase name as SCREAMING_SNAKE. */
export function screamingSnake(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
}

/** Gives the text of the comment (doc, or `//` lines) that ends right above position `pos`, as one line; "" if none. */
function commentAbove(source, pos) {
  const before = source.slice(0, pos).replace(/(?:\s*(?:\/\/ @ts-ignore[^\n]*|@\w+(?:\([^)]*\))?))*\s*$/, "");
  const doc = before.match(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/$/);
  if (doc) return clean(doc[1].replace(/^\s*\* ?/gm, ""));

  const lines = before.split("\n");
  let first = lines.length;
  while (first > 0 && /^\s*\/\/(?! -{2,})/.test(lines[first - 1])) first--;
  return clean(
    lines
      .slice(first)
      .join("\n")
      .replace(/^\s*\/\/ ?/gm, ""),
  );
}

function clean(text) {
  return text.replace(/\s+/g, " ").trim();
}

/** Finds the brace that closes a record's body; braces in comments do not count. */
function bodyEnd(source, start) {
  const stops = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\}/g;
  stops.lastIndex = start;
  for (let stop = stops.exec(source); stop !== null; stop = stops.exec(source)) {
    if (stop[0] === "}") return stop.index;
  }
  return source.length;
}

/** Splits the body of a record into its fields, each with the comment that trails it on its line. */
function readFields(body, className) {
  const fields = [];
  let rest = body;
  while (true) {
    rest = rest.replace(/^(?:\s+|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
    if (rest === "") return fields;

    const field = rest.match(
      /^(?:readonly\s+)?(\w+)!?\s*:\s*(\w+)(?:\s*\|\s*null)?\s*(?:;|$)[ \t]*(?:\/\/[ \t]*([^\n]*))?/,
    );
    if (!field) throw new Error(`class ${className}: not a plain field: ${rest.slice(0, 60).split("\n")[0]}`);
    fields.push({ name: field[1], type: field[2], meaning: clean(field[3] ?? "") });
    rest = rest.slice(field[0].length);
  }
}

/** Places the fields one after the other, each on its natural alignment. */
function layOut(name, fields) {
  let end = 0;
  let align = 1;
  const placed = fields.map((field) => {
    const { bytes, array } = TYPES[field.type] ?? REFERENCE;
    const offset = Math.ceil(end / bytes) * bytes;
    end = offset + bytes;
    align = Math.max(align, bytes);
    return { ...field, bytes, array, offset, index: offset / bytes };
  });
  return { name, fields: placed, bytes: Math.ceil(end / align) * align, lastByte: end };
}

/**
 * Finds the records of one source file.
 *
 * @returns records in source order: name, meaning, fields (name, type, meaning, array, offset and size in bytes, index
 *   in units of its own size), bytes (rounded up to the widest field), lastByte (as `offsetof<X>()` has it)
 */
export function readRecords(source) {
  const records = [];
  for (const match of source.matchAll(/@unmanaged\s+export\s+(?:final\s+)?class\s+(\w+)\s*([^{]*)\{/g)) {
    const [head, name, clause] = match;
    if (clause.trim() !== "") throw new Error(`class ${name}: a record inherits nothing: ${clause.trim()}`);
    const start = match.index + head.length;
    const body = source.slice(start, bodyEnd(source, start));
    records.push({ ...layOut(name, readFields(body, name)), meaning: commentAbove(source, match.index) });
  }
  return records;
}

const INTEGER = /^(?:0x[\da-f_]+|0b[01_]+|0o[0-7_]+|\d[\d_]*(?:\.0+)?)$/i;

/** Computes a constant expression exactly: integers, names of earlier constants, casts, + - * / % << >> | & ^ ~ and (). */
function evaluate(expression, constants, name) {
  const text = expression.replace(/<(?:[ui](?:8|16|32|64|size)|usize|isize|f64)>/g, "");
  const tokens = text.match(/0x[\da-f_]+|0b[01_]+|0o[0-7_]+|\d[\d_]*(?:\.\d+)?|\w+|<<|>>|[-+*/%|&^~()]|\S/gi) ?? [];
  const terms = tokens.map((token) => {
    if (INTEGER.test(token)) return `${token.replace(/_/g, "").replace(/\.0+$/, "")}n`;
    if (constants.has(token)) return `(${constants.get(token)}n)`;
    if (/^(?:<<|>>|[-+*/%|&^~()])$/.test(token)) return token;
    throw new Error(`constant ${name}: cannot read "${token}" in ${expression}`);
  });
  return new Function(`return ${terms.join(" ")}`)();
}

/** Wraps a value to the range of its AssemblyScript type. */
function wrap(value, type) {
  const bits = (TYPES[type] ?? REFERENCE).bytes * 8;
  if (type === "f64" || type === "f32") return value;
  return type.startsWith("i") ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/**
 * Finds the constants of abi.ts: `export const NAME: type = <integer expression>;`.
 *
 * @returns constants in source order: name, type, value (a bigint), meaning, and `heading`, the text of a
 *   `// --- heading ---` line above, when the constant is the first below one
 */
export function readConstants(source) {
  const values = new Map();
  const constants = [];
  let scanned = 0;
  for (const match of source.matchAll(
    /^export const (\w+)\s*:\s*(\w+)\s*=\s*([^;]+);[ \t]*(?:\/\/[ \t]*([^\n]*))?/gm,
  )) {
    const [, name, type, expression, trailing] = match;
    const value = wrap(evaluate(expression, values, name), type);
    const headings = [...source.slice(scanned, match.index).matchAll(/^\/\/ -{2,} *(.*?)[ -]*$/gm)];
    values.set(name, value);
    constants.push({
      name,
      type,
      value,
      meaning: clean(trailing ?? "") || commentAbove(source, match.index),
      heading: headings.at(-1)?.[1],
    });
    scanned = match.index + match[0].length;
  }
  return constants;
}

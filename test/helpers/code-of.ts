/** The code of what a call throws: "ok" where it throws nothing, the error as text where it has none. */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

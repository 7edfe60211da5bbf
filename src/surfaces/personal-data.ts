// A whole export of personal data, from the pages of gdpr_export_user_data: one page is in memory at a time.

export type CallOperation = (
  name: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

/** Pieces of one document. Rejects as the operation does. */
export async function* personalData(
  call: CallOperation,
  request: { readonly user_id: string; readonly format: string },
): AsyncGenerator<string> {
  for (let cursor: unknown; ; ) {
    const page = await call('gdpr_export_user_data', { ...request, ...(cursor === undefined ? {} : { cursor }) });
    yield String(page.text);
    if (page.next_cursor === null) return;
    cursor = page.next_cursor;
  }
}

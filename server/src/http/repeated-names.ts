const STRING = /"(?:[^"\\]|\\.)*"/y
const QUOTE = 0x22
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const BLANKS_AND_COLON = /[\t\n\r ]*:/y

/**
 * Whether some object in this text names a member twice. JSON.parse keeps the last in silence, so that
 * `{"amount":"1","amount":"2"}` would send 2: which of them was meant is not ours to guess (RFC 8259 section 4).
 * One pass over text that JSON.parse has accepted.
 */
export function repeatsName(json: string): boolean {
  /** One per object or list that is open; null for a list, which names nothing. */
  const open: (Set<string> | null)[] = []
  for (let at = 0; at < json.length; at += 1) {
    const mark = json.charCodeAt(at)
    if (mark === OPEN) open.push(new Set())
    else if (mark === OPEN_LIST) open.push(null)
    else if (mark === CLOSE || mark === CLOSE_LIST) open.pop()
    if (mark !== QUOTE) continue
    STRING.lastIndex = at
    const text = STRING.exec(json)?.[0] ?? '"'
    at += text.length - 1
    BLANKS_AND_COLON.lastIndex = at + 1
    const names = open.at(-1)
    if (names === undefined || names === null || !BLANKS_AND_COLON.test(json)) continue
    const name = text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
    if (names.has(name)) return true
    names.add(name)
  }
  return false
}

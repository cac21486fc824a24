import type { Me } from '@kantor/contract/api'
import { createTransport } from 'nodemailer'
import type { Database } from '#db'
import { contactOf } from '#identity'
import { markSent, selectUnsent } from './message-store.ts'
import { noticeWords } from './notice-words.ts'
import type { NoticeWords } from './notice-words.ts'

export interface Letter {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same for every try, so that a receiver who got it twice can tell. */
  readonly messageId: string
}

/** @throws when the server did not take it */
export type SendLetter = (letter: Letter) => Promise<void>

const CONNECT_TIMEOUT_MS = 8_000
const SILENCE_TIMEOUT_MS = 12_000

/** Mail by the operator's own server. A connection each time: notices are few, and none is kept that may have died. */
export function createSmtp(smtpUrl: string, from: string): SendLetter {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return async ({ to, ...letter }) => {
    // As objects, so that nothing in an address is read as a list of addresses.
    await transport.sendMail({
      ...letter,
      from,
      to: { name: '', address: to },
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  }
}

export interface SendMailDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly send: SendLetter
  readonly publicUrl: URL
  readonly log: { warn(fields: object, message: string): void }
}

/**
 * Once for each message, but for a process that dies between the server's answer and our note of it; the letter then
 * comes twice with one Message-ID.
 * @throws when it should be tried again
 */
export async function sendMail(deps: SendMailDeps, messageId: string): Promise<void> {
  const message = await selectUnsent(deps.db, messageId)
  if (message === null) return
  const contact = await contactOf(deps.db, message.walletId)
  if (contact === null) throw new Error(`wallet ${message.walletId} was told something and has no owner`)
  const words = noticeWords(contact.locale, message.content)
  try {
    await deps.send({
      to: contact.email,
      messageId: `<${message.id}@${deps.publicUrl.hostname}>`,
      ...letterOf(words, deps.publicUrl, contact.locale),
    })
  } catch (error) {
    if (!isRefusedForGood(error)) throw error
    deps.log.warn({ err: error, messageId }, 'a letter was refused for good')
    return
  }
  await markSent(deps.db, messageId, deps.clock())
}

const READ_ON = { en: 'Open Kantor', pl: 'Otwórz Kantor' } as const
const WHY = {
  en: 'You can choose what you are told by mail in Settings.',
  pl: 'O czym piszemy, możesz wybrać w Ustawieniach.',
} as const

function letterOf(
  { title, text, path }: NoticeWords,
  publicUrl: URL,
  locale: Me['locale'],
): Pick<Letter, 'subject' | 'text' | 'html'> {
  const link = new URL(path, publicUrl).href
  return {
    subject: title,
    text: `${text}\n\n${READ_ON[locale]}: ${link}\n\n${WHY[locale]}\n`,
    html: [
      `<!doctype html><html lang="${locale}"><body>`,
      `<p>${escapeHtml(text)}</p>`,
      `<p><a href="${escapeHtml(link)}">${READ_ON[locale]}</a></p>`,
      `<p><small>${WHY[locale]}</small></p></body></html>`,
    ].join('\n'),
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')

/**
 * SMTP's 5xx to this letter's receiver or text: no such mailbox, say. To the log-in, the sender or the connection it
 * is the operator's to mend, and letters wait for it.
 */
function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || !('command' in error)) return false
  const { responseCode, command } = error
  const isOfLetter = command === 'RCPT TO' || command === 'DATA'
  return isOfLetter && typeof responseCode === 'number' && responseCode >= 500
}

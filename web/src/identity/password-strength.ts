import type { ZxcvbnFactory } from '@zxcvbn-ts/core'
import type { Locale } from '#i18n'

/** 0 to 4 as the server's own judgement, which asks for 3; null while the dictionaries are still coming. */
export type Strength = 0 | 1 | 2 | 3 | 4
export const STRENGTH_MIN = 3

const loading = new Map<Locale, Promise<ZxcvbnFactory>>()

const WORDS = {
  en: () => import('@zxcvbn-ts/language-en'),
  pl: () => import('@zxcvbn-ts/language-pl'),
}

/**
 * Common passwords and the words of the page's language: 600 to 850 KB, fetched only once somebody begins to
 * choose a password. The server also knows the other language, and has the last word.
 */
function loadEstimator(locale: Locale): Promise<ZxcvbnFactory> {
  const known = loading.get(locale)
  if (known !== undefined) return known
  const estimator = Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    WORDS[locale](),
  ]).then(
    ([core, common, words]) =>
      new core.ZxcvbnFactory({
        dictionary: { ...common.dictionary, ...words.dictionary },
        graphs: common.adjacencyGraphs,
        maxLength: 128,
        // The server's bound too: with the library's 100 a hostile text holds the page up for over a second.
        l33tMaxSubstitutions: 16,
      }),
  )
  loading.set(locale, estimator)
  // A lost connection is not remembered: the next letter tries again.
  estimator.catch(() => loading.delete(locale))
  return estimator
}

/** How hard a password is to guess for somebody who knows whose it is. */
export async function judgePassword(
  password: string,
  about: readonly string[],
  locale: Locale,
): Promise<Strength> {
  const estimator = await loadEstimator(locale)
  const personal = about
    .flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
    .concat('kantor')
    .map((word) => word.toLowerCase())
    .filter((word) => word.length > 2)
  return estimator.check(password.normalize('NFKC'), [...new Set(personal)]).score
}

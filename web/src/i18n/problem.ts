import { ApiError } from '#api'
import { useText, type MessageKey } from './index.ts'

/** What a failure says to a customer: the sentence of its code, in the language of the page. */
export function useProblem() {
  const { t } = useText()

  function sentenceOf(error: unknown): string {
    if (!(error instanceof ApiError)) return t('errors.internal_error')
    const key = `errors.${error.code}` as MessageKey
    const sentence = t(key)
    // A newer server may refuse with a code that this page has never heard of.
    return sentence === key ? t('errors.internal_error') : sentence
  }

  /** Whether the refusal is about this field of the request, so that it can be said beside it. */
  const isAbout = (error: unknown, path: string) =>
    error instanceof ApiError && error.fields.some((field) => field.path === path)

  return { sentenceOf, isAbout }
}
